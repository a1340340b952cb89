// The keyboard: the arrows go from card to card, letters do what the buttons do.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const place = { row: 0, column: 0, n: 0 };
  let wanted = ''; // the card that should have the focus once it is there

  const focused = () => document.activeElement?.closest?.('.card');

  /** Exactly one card is in the order of Tab. */
  const hold = (element) => {
    for (const other of V.board.querySelectorAll('.card[tabindex="0"]')) other.tabIndex = -1;
    element.tabIndex = 0;
    const siblings = [...element.parentElement.querySelectorAll('.card')];
    Object.assign(place, { row: element.row, column: element.column, n: siblings.indexOf(element) });
  };

  const focus = (element) => {
    hold(element);
    element.focus({ preventScroll: true, focusVisible: true });
    element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    return true;
  };

  /** The nearest place with cards that way, or none. */
  const along = (row, column, down, right) => {
    const { rows } = V.plan();
    for (let r = row + down, c = column + right; rows[r]?.cells[c]; r += down, c += right) {
      if (rows[r].cells[c].cards.length) return [r, c];
    }
    return null;
  };

  const go = (down, right) => {
    const element = focused();
    if (!element) return enter();
    const { row, column, n } = place;
    const here = V.cardsAt(row, column);
    const within = here[n + right + down * V.plan().across];
    if (within && (right === 0 || sameLine(n, n + right))) return focus(within);
    const next = along(row, column, down, right);
    if (!next) return false;
    const there = V.cardsAt(...next);
    const line = Math.floor(n / V.plan().across) * V.plan().across;
    const entry = right ? (right > 0 ? line : line + V.plan().across - 1) : n % V.plan().across;
    return focus(there[Math.min(entry, there.length - 1)]);
  };

  const sameLine = (a, b) => Math.floor(a / V.plan().across) === Math.floor(b / V.plan().across);

  const enter = () => {
    const first = V.board.querySelector('.card');
    return first ? focus(first) : false;
  };

  const toEnd = (step) => {
    const element = focused();
    if (!element) return false;
    const cells = V.plan().rows[element.row].cells;
    const all = cells.map((cell, n) => [cell, n]).filter(([cell]) => cell.cards.length);
    const cards = V.cardsAt(element.row, all.at(step < 0 ? 0 : -1)[1]);
    return focus(cards.at(step < 0 ? 0 : -1));
  };

  const withCard = (call) => () => {
    const element = focused();
    return element ? (call(element), true) : false;
  };

  const does = (call) => () => (call(), true);

  const KEYS = {
    ArrowDown: () => go(1, 0),
    ArrowUp: () => go(-1, 0),
    ArrowRight: () => go(0, 1),
    ArrowLeft: () => go(0, -1),
    Home: () => toEnd(-1),
    End: () => toEnd(1),
    ' ': () => (V.together.on ? (V.together.turn(), true) : withCard((element) => V.solo.turn(element))()),
    Enter: withCard((element) => V.choose({ open: element.card.short })),
    c: withCard((element) => element.card.video && V.pick(element.card.short)),
    v: does(() => V.compare()),
    r: withCard((element) => V.together.row(element.row, V.plan().rows[element.row].head)),
    k: withCard((element) => V.together.column(element.column, V.plan().columns[element.column])),
    a: does(() => V.together.all()),
    x: does(() => V.axes.length && V.swap()),
    '[': does(() => V.stepTab(-1)),
    ']': does(() => V.stepTab(1)),
    '/': does(() => V.by('search').focus()),
    f: does(() => V.by('filters').togglePopover()),
    '?': does(() => V.by('keys').showModal()),
    Escape: () => V.together.on && (V.together.stop(), true),
  };

  /** The focus goes to a card that was let go of when it comes back. */
  V.keepFocus = (box) => {
    const element = wanted && box.querySelector(`[data-card="${wanted}"]`);
    if (element && document.activeElement === document.body) focus(element);
    if (!V.board.querySelector('.card[tabindex="0"]')) {
      const first = box.querySelector('.card');
      if (first) hold(first);
    }
  };

  V.focusCard = (short) => {
    const element = V.board.querySelector(`[data-card="${short}"]`);
    if (element) focus(element);
  };

  V.board.addEventListener('focusin', (event) => {
    const element = event.target.closest('.card');
    if (!element) return;
    wanted = element.card.short;
    hold(element);
  });

  /** What is typed goes first, as in any search; the next time the focus does. */
  const leaveSearch = (event) => {
    const search = V.by('search');
    event.preventDefault();
    if (!search.value) return search.blur();
    search.value = '';
    search.dispatchEvent(new Event('input'));
  };

  document.addEventListener('keydown', (event) => {
    const typing = event.target.matches('input:not([type=checkbox]), select, textarea, video');
    if (event.key === 'Escape' && event.target === V.by('search')) return leaveSearch(event);
    if (typing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('dialog[open]')) return;
    if ([' ', 'Enter'].includes(event.key) && event.target.closest('button, a, [role="tab"], input, summary')) return;
    if (KEYS[event.key]?.()) event.preventDefault();
  });
})();
