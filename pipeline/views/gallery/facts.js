// All that is known of a card, as names and values; the same for one card and for two side by side.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});

  const own = (mapping) => Object.entries(mapping ?? {}).map(([name, value]) => [name, V.text(value)]);

  /** A time as the charts and the log have it. */
  const moment = (iso) => (iso ? `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC` : '');

  const along = (card, axis) => {
    const value = V.onAxis(card, axis);
    return [axis.name, value === '—' ? '' : V.shown(axis.name, value)];
  };

  /** What was asked for. */
  const wished = (card) => [
    ['model', card.model],
    ['seconds', card.seconds ? `${card.seconds} s` : ''],
    ['size', card.size],
    ['take', String(card.take)],
    ['group', card.group],
    [card.link || 'made from', card.source],
    ...V.axes.filter(({ name }) => name !== 'prompt').map((axis) => along(card, axis)),
    ...own(card.params),
    ...own(card.meta),
  ];

  const anyOld = V.cards.some(({ orphaned }) => orphaned);

  const soundOf = ({ audio, silent }) => (audio ? audio + (silent ? ', silent' : '') : 'no sound');
  const DECODES = new Map([[true, 'to its end'], [false, 'not to its end'], [null, 'cannot be told here']]);

  /** What decoding the video found; of what no decoder could begin with, no more than that. */
  const found = (media) => {
    if (!media) return [];
    const inside = media.codec || media.audio;
    return [
      ['problems', media.problems.join('; ')],
      ['decodes', DECODES.get(media.decodes)],
      ['codec', media.codec],
      ['frame rate', media.frame_rate ? `${Math.round(media.frame_rate * 100) / 100} a second` : ''],
      ['sound', inside ? soundOf(media) : ''],
      ['origin', media.c2pa ? 'says where it comes from (C2PA)' : ''],
    ];
  };

  /** What became of it. */
  const became = (card) => [
    ['state', V.stateWord(card.state)],
    ['manifest', card.orphaned ? V.OLD : anyOld ? 'asked for' : ''],
    ['not as asked', card.differs.join('; ')],
    ...found(card.media),
    ['cost', V.money(card.cost)],
    ['attempts', card.attempts.length ? `${card.attempts.length}: ${card.attempts.join('; ')}` : ''],
    ['made in', V.span(card.render_s)],
    ['submitted', moment(card.submitted_at)],
    ['file', V.size(card.bytes)],
    ['SHA-256', card.sha256],
    ['key', card.key],
  ];

  /** What is known of any of some cards, by name: first what was asked for. */
  V.names = (cards) => {
    const all = [...cards.flatMap(wished), ...cards.flatMap(became)];
    return [...new Set(all.map(([name]) => name))];
  };

  /** Each name once, in the order of what was asked for, then of what became of it; without what is not known. */
  V.known = (card) => {
    const known = new Map();
    for (const [name, value] of [...wished(card), ...became(card)]) {
      if (value && !known.has(name)) known.set(name, value);
    }
    return known;
  };

  V.links = (card) =>
    [['Video', card.video], ['The video that was put aside', card.aside], ['Sidecar', card.sidecar], ...card.pictures.map(([name, link]) => [name, link])]
      .filter(([, link]) => link)
      .map(([name, link]) => V.el('a', { href: link, target: '_blank', rel: 'noopener' }, name));

  /** A video with its own controls, or why there is none. */
  V.bigFrame = (card, attributes = {}) => {
    const frame = V.el('div', { class: 'big' });
    frame.style.setProperty('--ratio', card.ratio.toFixed(4));
    const film = card.video || card.aside;
    if (!film) {
      const word = V.el('strong', {}, V.stateWord(card.state));
      frame.append(V.el('div', { class: `panel ${V.tone(card.state)}` }, word));
      return frame;
    }
    const video = V.el('video', {
      src: film, poster: card.poster || false, playsinline: true, preload: 'auto', 'aria-label': card.id, ...attributes,
    });
    video.muted = true;
    video.addEventListener('error', () => {
      frame.classList.add('broken');
      video.replaceWith(card.poster ? V.el('img', { src: card.poster, alt: '' }) : ''); // else it waits for ever
    });
    frame.append(video, V.el('span', { class: 'unplayable' }, V.UNPLAYABLE));
    return frame;
  };

  /** Let go of the videos of a dialog that is closed. */
  V.letGo = (box) => {
    for (const video of box.querySelectorAll('video')) {
      video.pause();
      video.removeAttribute('src');
      video.load();
    }
    box.replaceChildren();
  };
})();
