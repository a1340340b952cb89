// Two videos, large and in step, and what is not the same about them.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const dialog = V.by('compare');
  const box = V.by('compare-box');
  const tray = V.by('tray');
  const parts = ['turn', 'scrub', 'clock', 'wipe', 'swipe'];
  const [turn, scrub, clock, wipe, swipe] = parts.map((name) => V.by(`compare-${name}`));
  const APART_ANYWAY = ['SHA-256', 'key'];
  const chorus = new V.Chorus({ onTick: (now) => show(now) });
  let open = '';

  const show = ({ at, length, playing }) => {
    scrub.max = length || 1;
    scrub.value = at;
    clock.textContent = `${at.toFixed(1)} / ${length.toFixed(1)} s`;
    turn.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    turn.firstElementChild.firstElementChild.setAttribute('href', playing ? '#icon-pause' : '#icon-play');
  };

  const apart = (pieces) => pieces.map(([piece, same]) => (same || !piece.trim() ? piece : V.el('mark', {}, piece)));

  const line = (name, values, same) =>
    V.el(
      'tr',
      { class: same ? 'same' : 'other' },
      V.el('th', { scope: 'row' }, name),
      values.map((value) => V.el('td', {}, value)),
    );

  /** The settings of two cards: first what differs, then what is the same. */
  const table = (cards) => {
    const [one, other] = cards.map(V.known);
    const told = (name) => (one.has(name) || other.has(name)) && !APART_ANYWAY.includes(name);
    const names = V.names(cards).filter(told);
    const same = (name) => one.get(name) === other.get(name);
    const lines = (wanted) => names.filter((name) => same(name) === wanted)
      .map((name) => line(name, [one.get(name) ?? '—', other.get(name) ?? '—'], wanted));
    const prompts = V.wordsApart(cards[0].prompt, cards[1].prompt).map(apart);
    const isSame = cards[0].prompt === cards[1].prompt;
    const prompt = line('prompt', prompts, isSame);
    const head = V.el('tr', {}, V.el('td'), cards.map((card) => V.el('th', { scope: 'col' }, card.id)));
    return V.el(
      'table',
      {},
      V.el('colgroup', {}, V.el('col', { class: 'names' }), V.el('col'), V.el('col')),
      V.el('thead', {}, head),
      V.el('tbody', {}, isSame ? [] : prompt, lines(false), isSame ? prompt : [], lines(true)),
    );
  };

  const side = (card) =>
    V.el(
      'figure',
      {},
      V.bigFrame(card),
      V.el('figcaption', {},
        V.el('span', {}, card.id), card.orphaned && V.el('span', { class: 'old' }, V.OLD), V.el('span', { class: 'links' }, V.links(card))),
    );

  const fill = (cards) => {
    V.letGo(box);
    const pair = V.el('div', { class: 'pair' }, cards.map(side));
    pair.style.setProperty('--ratio', Math.min(...cards.map((card) => card.ratio)).toFixed(4));
    box.append(pair, table(cards));
    for (const video of box.querySelectorAll('video')) chorus.join(video);
    chorus.start();
  };

  const thumb = (card) =>
    V.el('span', { class: 'thumb' },
      card.poster && V.el('img', { src: card.poster, alt: '' }), V.el('span', {}, card.id),
      V.button('close', `No longer compare ${card.id}`, () => V.pick(card.short), { class: 'small' }));

  const showTray = (cards) => {
    tray.hidden = cards.length === 0;
    const hint = cards.length === 1 ? [V.el('span', { class: 'hint' }, 'pick another one')] : [];
    V.by('tray-cards').replaceChildren(...cards.map(thumb), ...hint);
    V.by('tray-compare').disabled = cards.length < 2;
    for (const element of V.board.querySelectorAll('.card')) {
      const picked = cards.includes(element.card);
      element.classList.toggle('picked', picked);
      element.querySelector('.pick')?.setAttribute('aria-pressed', String(picked));
    }
  };

  V.showCompare = (choice) => {
    const cards = choice.picked.map((short) => V.byShort.get(short));
    showTray(cards);
    const wanted = choice.compare && cards.length === 2 ? choice.picked.join('.') : '';
    if (wanted === open) return;
    open = wanted;
    if (!wanted) return dialog.open && dialog.close();
    V.solo.stop();
    V.together.stop();
    if (!dialog.open) dialog.showModal();
    fill(cards);
  };

  V.compare = () => V.choice.picked.length === 2 && V.choose({ compare: true });

  const turnWipe = () => {
    const on = wipe.getAttribute('aria-pressed') !== 'true';
    wipe.setAttribute('aria-pressed', String(on));
    box.classList.toggle('wiping', on);
    swipe.hidden = !on;
  };

  turn.addEventListener('click', () => chorus.turn());
  scrub.addEventListener('input', () => chorus.seek(Number(scrub.value)));
  wipe.addEventListener('click', turnWipe);
  swipe.addEventListener('input', () => box.style.setProperty('--wipe', `${swipe.value}%`));
  V.by('compare-swap').addEventListener('click', () => {
    V.choose({ picked: [...V.choice.picked].reverse() }, { passing: true });
  });
  V.by('compare-close').addEventListener('click', () => dialog.close());
  V.by('tray-compare').addEventListener('click', () => V.compare());
  V.by('tray-clear').addEventListener('click', () => V.choose({ picked: [] }, { passing: true }));
  dialog.addEventListener('close', () => {
    chorus.end();
    V.letGo(box);
    open = '';
    if (V.choice.compare) V.choose({ compare: false });
  });
  dialog.addEventListener('keydown', (event) => {
    if (event.key !== ' ' || event.target.matches('button, input, a')) return;
    event.preventDefault();
    chorus.turn();
  });
})();
