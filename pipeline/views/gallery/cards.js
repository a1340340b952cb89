// One card: a picture or why there is none, the prompt, and what it took.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const TAIL = 12; // characters that are always seen
  const AT_WORK = new Set(['pending', 'submitting', 'in_flight', 'finished']);

  const tone = (state) => (state === 'stored' ? 'good' : AT_WORK.has(state) ? 'calm' : 'bad');

  /** What tells a card from the others of its cell: its values on the axes that are not shown otherwise. */
  const labelOf = (card, choice) => {
    const shown = choice.sheet ? [] : [choice.rows, choice.columns, choice.tabs];
    const left = V.axes.filter(({ name }) => !shown.includes(name) && name !== 'prompt');
    if (choice.sheet || !left.length) return card.id;
    return left
      .filter((axis) => V.onAxis(card, axis) !== '—')
      .map((axis) => (axis.name === 'take' ? `take ${V.onAxis(card, axis)}` : V.shown(axis.name, V.onAxis(card, axis))))
      .join(' · ');
  };

  const factsOf = (card) => [
    card.seconds ? `${card.seconds} s` : '',
    V.money(card.cost),
    card.render_s == null ? '' : `made in ${V.span(card.render_s)}`,
  ];

  const picture = (card) => {
    if (card.poster) {
      return V.el('img', { class: 'poster', src: card.poster, alt: '', decoding: 'async', draggable: 'false' });
    }
    if (card.video) return null; // its first frame is drawn when it is seen
    return V.el(
      'div',
      { class: `panel ${tone(card.state)}` },
      V.el('strong', {}, V.stateWord(card.state)),
      card.reason && V.el('span', {}, card.reason),
    );
  };

  const pick = (card) =>
    V.button('compare', 'Compare with another (c)', (event) => {
      event.stopPropagation();
      V.pick(card.short);
    }, { class: 'pick', tabindex: -1, 'aria-pressed': String(V.choice.picked.includes(card.short)) });

  /** Links to what is on disk; by keyboard they are reached in the card's own view. */
  const files = (card) => {
    const links = [['video', card.video], ['put aside', card.aside], ['json', card.sidecar]].filter(([, link]) => link);
    const open = (event) => event.stopPropagation(); // not the card
    return V.el('span', { class: 'files' }, links.map(([name, href]) =>
      V.el('a', { href, target: '_blank', rel: 'noopener', tabindex: -1, on: { click: open } }, name)));
  };

  /** What is wrong with what is seen; a panel says it otherwise. */
  const amissOf = (card) =>
    card.aside && card.poster ? `${V.stateWord(card.state)}: ${card.reason}` : card.amiss.join('; ');

  /** A name that is cut short loses its middle: the ids of a sweep begin alike and differ at their ends. */
  const ends = (label) => {
    const at = Math.max(Math.ceil(label.length / 2), label.length - TAIL);
    return [V.el('span', {}, label.slice(0, at)), V.el('span', {}, label.slice(at))];
  };

  /** In words, for those who do not see it. */
  const spoken = (card, label) =>
    [label, label === card.id ? '' : card.id, card.orphaned && V.OLD, V.stateWord(card.state), card.reason, ...card.amiss]
      .filter(Boolean)
      .join(', ');

  V.tone = tone;
  V.factsOf = (card) => factsOf(card).filter(Boolean);

  V.cardElement = (card, choice) => {
    const label = labelOf(card, choice);
    const amiss = amissOf(card);
    const element = V.el(
      'div',
      {
        class: 'card', role: 'group', tabindex: -1, 'aria-label': spoken(card, label),
        data: { card: card.short, state: card.state },
      },
      V.el(
        'div',
        { class: 'frame' },
        picture(card),
        card.video && V.el('span', { class: 'unplayable' }, V.UNPLAYABLE),
        card.orphaned && V.el('span', { class: 'badge old', title: `${card.id}: the manifest asks for it no longer` }, V.OLD),
        amiss && V.el('span', { class: 'badge', title: amiss }, amiss),
        card.video && pick(card),
      ),
      V.el('p', { class: 'label', title: card.id }, ends(label)),
      V.el('p', { class: 'prompt' }, V.marked(card.prompt, V.wordsOf(choice))),
      V.el('p', { class: 'facts' }, V.factsOf(card).join(' · ')),
      (card.video || card.aside) && files(card),
    );
    element.card = card;
    element.addEventListener('click', () => V.choose({ open: card.short }));
    return element;
  };

  /** Take a card as one of the two to compare, or no longer; of three the oldest goes. */
  V.pick = (short) => {
    const picked = V.choice.picked.filter((other) => other !== short);
    if (picked.length === V.choice.picked.length) picked.push(short);
    V.choose({ picked: picked.slice(-2) }, { passing: true });
  };
})();
