// One card, whole: the video large, the prompt to its end, all settings, and the files.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const dialog = V.by('detail');
  const box = V.by('detail-box');
  let open = '';

  const row = ([name, value]) => V.el('div', {}, V.el('dt', {}, name), V.el('dd', {}, value));
  const rows = (card) => [...V.known(card)].map(row);

  const origin = (card) => {
    const source = V.sourceOf(card);
    const open = () => V.choose({ open: source.short });
    return source && V.button('', `Open its source ${source.id}`, open, { text: 'Its source', class: 'plain' });
  };

  const beside = (step) => {
    const all = V.plan().cards;
    const n = all.findIndex(({ short }) => short === open);
    return n < 0 ? null : all[n + step];
  };

  const go = (step) => {
    const next = beside(step);
    if (next) V.choose({ open: next.short }, { passing: true });
  };

  const step = (icon, name, by) => V.button(icon, name, () => go(by), { disabled: !beside(by), class: 'plain' });

  const pick = (card) => () => {
    V.pick(card.short);
    dialog.close();
  };

  const content = (card) => [
    V.bigFrame(card, { controls: true, loop: true, autoplay: !matchMedia('(prefers-reduced-motion: reduce)').matches }),
    V.el(
      'div',
      { class: 'told' },
      V.el('header', {},
        V.el('h2', { id: 'detail-name' }, card.id),
        step('left', 'The one before (←)', -1), step('right', 'The next one (→)', 1),
        V.button('close', 'Close (Esc)', () => dialog.close(), { class: 'plain' })),
      card.orphaned && V.el('p', { class: 'old' }, `${V.OLD}: its prompt or settings were edited, or its entry is gone`),
      V.el('p', { class: 'whole' }, card.prompt),
      card.reason && V.el('p', { class: `reason ${V.tone(card.state)}` }, card.reason),
      V.el('p', { class: 'links' }, V.links(card), origin(card),
        card.video && V.button('compare', 'Compare with another', pick(card), { text: 'Compare', class: 'plain' })),
      V.el('dl', {}, rows(card)),
    ),
  ];

  V.showDetail = (choice) => {
    if (choice.open === open) return;
    const card = V.byShort.get(choice.open);
    V.letGo(box);
    open = card ? choice.open : '';
    if (!card) return dialog.open && dialog.close();
    V.solo.stop();
    V.together.stop();
    box.append(...content(card));
    if (!dialog.open) dialog.showModal();
    box.scrollTop = 0;
    dialog.focus();
  };

  dialog.addEventListener('close', () => {
    const short = open;
    if (V.choice.open) V.choose({ open: '' });
    V.focusCard(short);
  });
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  dialog.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.target.matches('video')) return;
    event.preventDefault();
    go(by);
  });
})();
