// All that is known of a card, as names and values; the same for one card and for two side by side.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});

  const own = (mapping) => Object.entries(mapping ?? {}).map(([name, value]) => [name, V.text(value)]);
  const MOMENT = { dateStyle: 'medium', timeStyle: 'medium' };

  const moment = (iso) => (iso ? new Date(iso).toLocaleString(undefined, MOMENT) : '');

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

  /** What became of it. */
  const became = (card) => [
    ['state', V.stateWord(card.state)],
    ['not as asked', card.differs.join('; ')],
    ['cost', V.money(card.cost)],
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
    [['Video', card.video], ['Sidecar', card.sidecar], ...card.pictures.map(([name, link]) => [name, link])]
      .filter(([, link]) => link)
      .map(([name, link]) => V.el('a', { href: link, target: '_blank', rel: 'noopener' }, name));

  /** A video with its own controls, or why there is none. */
  V.bigFrame = (card, attributes = {}) => {
    const frame = V.el('div', { class: 'big' });
    frame.style.setProperty('--ratio', card.ratio.toFixed(4));
    if (!card.video) {
      const word = V.el('strong', {}, V.stateWord(card.state));
      frame.append(V.el('div', { class: `panel ${V.tone(card.state)}` }, word));
      return frame;
    }
    const video = V.el('video', {
      src: card.video, poster: card.poster || false, playsinline: true, preload: 'auto', 'aria-label': card.id,
      ...attributes,
    });
    video.muted = true;
    video.addEventListener('error', () => frame.classList.add('broken'));
    frame.append(video, V.el('span', { class: 'unplayable' }, 'This file cannot be played here.'));
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
