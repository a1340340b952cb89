// The grid as it stands on the page: all rows at once, but only those near the view are filled.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const scroller = V.by('scroller');
  const board = V.by('board');
  const NEAR = '700px 500px';
  const WIDEN_MAX = 1.6; // a grid of few columns grows into the room that it has
  const WIDEN_SHEET_MAX = 3;
  const NARROW_MIN = 0.75; // and one that nearly fits shrinks
  const HEIGHT_MAX = 0.62; // of what is seen
  const seen = new Set();
  let plan = null;
  let rows = [];

  const head = (name, value, axis, play) =>
    V.el(
      'div',
      { class: `head ${name}head`, role: `${name}header`, title: value },
      V.el('span', { class: 'axis-name' }, axis),
      V.el('span', { class: 'value' }, V.shown(axis, value)),
      value !== '' && V.button('play', `Play ${axis} ${value} together`, play, { class: 'small', tabindex: -1 }),
    );

  const corner = (choice) =>
    V.el('div', { class: 'head corner', role: 'columnheader' },
      choice.columns && V.el('span', {}, `${choice.columns} →`),
      choice.rows && V.el('span', {}, `${choice.rows} ↓`));

  const columnHeads = (choice) =>
    V.el('div', { class: 'row heads', role: 'row', 'aria-rowindex': 1 }, corner(choice),
      plan.columns.map((value, n) => head('column', value, choice.columns, () => V.together.column(n, value))));

  const emptyRow = (row, n, choice) => {
    const element = V.el('div', { class: 'row', role: 'row', 'aria-rowindex': n + 2 });
    element.style.setProperty('--lines', row.lines);
    element.style.setProperty('--ratio', row.ratio.toFixed(4));
    if (!plan.sheet && choice.rows) {
      element.append(head('row', row.head, choice.rows, () => V.together.row(n, row.head)));
    }
    element.at = n;
    return element;
  };

  const why = ({ hidden }) => (hidden ? `${hidden} filtered out` : 'no job');

  /** The cells of a row, for now without their cards. */
  const fillRow = (element) => {
    if (element.cells) return;
    const row = plan.rows[element.at];
    element.cells = row.cells.map((cell, n) => {
      const none = cell.cards.length ? [] : V.el('span', { class: 'none' }, why(cell));
      const box = V.el('div', { class: 'cell', role: 'gridcell', 'aria-colindex': n + 1 + Number(plan.headed) }, none);
      Object.assign(box, { cell, row: element.at, column: n });
      return box;
    });
    element.append(...element.cells);
    for (const box of element.cells) if (box.cell.cards.length) near.observe(box);
  };

  const more = (cell, row, left) =>
    V.el('button', { type: 'button', class: 'more', on: { click: () => V.widen(cell.cards[0]) } }, `and ${left} more`);

  const fillCell = (box) => {
    if (box.filled) return;
    box.filled = true;
    const { cards } = box.cell;
    const { room } = plan.rows[box.row];
    const shown = cards.length > room ? cards.slice(0, room - 1) : cards;
    box.append(...shown.map((card) => V.cardElement(card, V.choice)));
    if (cards.length > shown.length) box.append(more(box.cell, box.row, cards.length - shown.length));
    for (const element of box.querySelectorAll('.card')) {
      Object.assign(element, { row: box.row, column: box.column });
      sight.observe(element);
    }
    V.keepFocus(box);
  };

  const emptyCell = (box) => {
    if (!box.filled || box.contains(document.activeElement)) return;
    for (const element of box.querySelectorAll('.card')) leave(element);
    box.replaceChildren();
    box.filled = false;
  };

  const clearRow = (element) => {
    if (!element.cells || element.contains(document.activeElement)) return;
    for (const box of element.cells) {
      near.unobserve(box);
      emptyCell(box);
      box.remove();
    }
    element.cells = null;
  };

  const leave = (element) => {
    sight.unobserve(element);
    lost(element);
    V.films.release(element);
  };

  const lost = (element) => {
    seen.delete(element);
    V.films.forget(element);
    V.together.unseen(element);
  };

  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (target.cell) (isIntersecting ? fillCell : emptyCell)(target);
      else (isIntersecting ? fillRow : clearRow)(target);
    }
  }, { root: scroller, rootMargin: NEAR });

  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) lost(target);
      else {
        seen.add(target);
        V.films.picture(target);
        V.together.seen(target);
      }
    }
  }, { root: scroller, threshold: 0.2 });

  const measure = () => {
    const style = getComputedStyle(board);
    const length = (name) => parseFloat(style.getPropertyValue(name)) || 0;
    return { gap: length('--gap'), head: length('--head'), edge: length('--edge') };
  };

  /** How wide the board's own part is, and how many cards fit into it. */
  const room = (choice) => {
    const { gap, head: headWidth, edge } = measure();
    const headed = !choice.sheet && choice.rows !== '';
    const width = scroller.clientWidth - 2 * edge - (headed ? headWidth : 0);
    const card = Math.min(choice.width, width - 2 * gap);
    return { gap, headed, width, card, fit: Math.max(1, Math.floor((width - gap) / (card + gap))) };
  };

  /** Cards as wide as fills the room, within reason. */
  const widened = ({ gap, width, card }, { columns, across, sheet, rows: all }) => {
    const count = Math.max(1, columns.length) * across;
    const gaps = sheet ? count * gap : columns.length * (across + 1) * gap;
    const fitting = (width - gaps) / count;
    if (fitting < card) return fitting < card * NARROW_MIN ? card : fitting;
    const tallest = all.reduce((least, { ratio }) => Math.min(least, ratio), Infinity);
    const highest = Math.max(card, scroller.clientHeight * HEIGHT_MAX * tallest);
    return Math.min(fitting, highest, card * (sheet ? WIDEN_SHEET_MAX : WIDEN_MAX));
  };

  const drop = () => {
    near.disconnect();
    sight.disconnect();
    for (const element of [...seen]) lost(element);
    V.films.releaseAll();
  };

  V.seen = seen;
  V.scroller = scroller;

  V.draw = (choice) => {
    const space = room(choice);
    drop();
    plan = { ...V.arrange(choice, space.fit), headed: space.headed, fit: space.fit };
    board.style.setProperty('--card', `${Math.floor(widened(space, plan))}px`);
    board.style.setProperty('--across', plan.across);
    board.style.setProperty('--count', Math.max(1, plan.columns.length));
    board.classList.toggle('sheet', plan.sheet);
    board.classList.toggle('headed', space.headed);
    rows = plan.rows.map((row, n) => emptyRow(row, n, choice));
    const heads = !plan.sheet && choice.columns && rows.length ? [columnHeads(choice)] : [];
    board.setAttribute('aria-rowcount', rows.length + 1);
    board.setAttribute('aria-colcount', plan.columns.length + Number(space.headed));
    board.replaceChildren(...heads, ...rows);
    for (const element of rows) near.observe(element);
    return plan;
  };

  V.fitsOtherwise = (choice) => plan && room(choice).fit !== plan.fit;
  V.plan = () => plan;

  /** The cards of a place, filled whether it is near or not. */
  V.cardsAt = (row, column) => {
    if (!rows[row]) return [];
    fillRow(rows[row]);
    const box = rows[row].cells[column];
    if (box?.cell.cards.length) fillCell(box);
    return box ? [...box.querySelectorAll('.card')] : [];
  };

  V.board = board;
})();
