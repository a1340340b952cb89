// Which cards are meant, and where each one stands. Values in, values out: nothing here touches the page.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const LINES_MAX = 4;
  const TALLEST = 9 / 16;
  const FLATTEST = 21 / 9;
  const USUAL = 16 / 9;
  const ACROSS_MAX = 4; // side by side in a cell of a grid with columns

  const own = (name) => ({ name, label: name, of: (card) => String(card[name] || '—') });
  const ofAxis = (axis) => ({ name: `axis.${axis.name}`, label: axis.name, of: (card) => V.onAxis(card, axis), axis });

  const asked = { name: 'asked', label: 'manifest', of: (card) => (card.orphaned ? V.OLD : 'asked for') };

  /** What can be filtered by: state, whether it is asked for, model and group, and any axis. */
  const facets = [
    own('state'), asked, ...['model', 'group'].map(own),
    ...V.axes.filter(({ name }) => !['state', 'model', 'group'].includes(name)).map(ofAxis),
  ];

  const wordsOf = (choice) => choice.words.toLowerCase().split(/\s+/).filter(Boolean);

  /** Whether a card is meant; *but* names a facet that is not asked. */
  const meant = (choice, but = '') => {
    const words = wordsOf(choice);
    const asked = facets.filter(({ name }) => choice.filters.has(name) && name !== but);
    return (card) =>
      words.every((word) => card.found.includes(word)) &&
      asked.every((facet) => choice.filters.get(facet.name).has(facet.of(card)));
  };

  const counted = (cards, of) => {
    const counts = new Map();
    for (const card of cards) counts.set(of(card), (counts.get(of(card)) ?? 0) + 1);
    return counts;
  };

  /** The values of a facet in their own order, and how many cards each leaves with the other filters as they are. */
  const valuesOf = (facet, choice) => {
    const left = counted(V.cards.filter(meant(choice, facet.name)), facet.of);
    const all = new Set(V.cards.map(facet.of));
    const order = facet.axis ? [...facet.axis.texts, '—'].filter((text) => all.has(text)) : [...all].sort();
    return [...new Set(order)].map((value) => ({ value, count: left.get(value) ?? 0 }));
  };

  /** The values of an axis that some of the cards have, in order; a dash for those that have none. */
  const places = (cards, axis) => {
    if (!axis) return [''];
    const has = new Set(cards.map((card) => V.onAxis(card, axis)));
    return [...new Set([...axis.texts, '—'])].filter((text) => has.has(text));
  };

  /** The shape of all frames of a row: the tallest of its cards', and a square where wide and tall ones meet. */
  const ratioOf = (cards) => {
    const ratios = cards.map((card) => card.ratio);
    const [tallest, flattest] = [Math.min(...ratios), Math.max(...ratios)];
    if (!ratios.length) return USUAL;
    return tallest < 1 && flattest > 1 ? 1 : Math.min(Math.max(tallest, TALLEST), FLATTEST);
  };

  /** How many cards of a cell stand side by side, for lines of the same length. */
  const acrossOf = (most, columns, fit) => {
    const wanted = Math.min(Math.max(Math.min(2, fit), Math.floor(fit / columns)), ACROSS_MAX);
    return Math.ceil(most / Math.ceil(most / wanted));
  };

  const tabbed = (cards, choice) => {
    const axis = V.axis(choice.tabs);
    if (!axis) return { tabs: [], within: () => true };
    const counts = counted(cards, (card) => V.onAxis(card, axis));
    const tabs = places(cards, axis).map((value) => ({ value, count: counts.get(value) }));
    const tab = tabs.some(({ value }) => value === choice.tab) ? choice.tab : (tabs[0]?.value ?? '');
    return { tabs, tab, within: (card) => V.onAxis(card, axis) === tab };
  };

  /** One row: how many lines of cards it has, and the shape that all of its frames have. */
  const row = (head, cells, across) => {
    const most = Math.max(1, ...cells.map(({ cards }) => cards.length));
    const lines = Math.min(Math.ceil(most / across), LINES_MAX);
    return { head, cells, lines, room: lines * across, ratio: ratioOf(cells.flatMap(({ cards }) => cards)) };
  };

  /** All the cards in reading order, as many side by side as there is room for. */
  const sheet = (cards, fit) => {
    const rows = [];
    for (let n = 0; n < cards.length; n += fit) {
      rows.push(row('', cards.slice(n, n + fit).map((card) => ({ cards: [card], hidden: 0 })), 1));
    }
    return { columns: Array.from({ length: Math.min(fit, cards.length) }, () => ''), rows, across: 1 };
  };

  /** Cards by two axes, either of which may be missing; what shares a cell stands side by side in it. */
  const grid = (cards, choice, fit, within) => {
    const [down, along] = [V.axis(choice.rows), V.axis(choice.columns)];
    const [heads, columns] = [places(cards, down), places(cards, along)];
    const cells = new Map(heads.map((head) => [head, columns.map(() => ({ cards: [], hidden: 0 }))]));
    const at = new Map(columns.map((column, n) => [column, n]));
    const cellOf = (card) => cells.get(down ? V.onAxis(card, down) : '')?.[at.get(along ? V.onAxis(card, along) : '')];
    const shown = new Set(cards);
    for (const card of cards) cellOf(card).cards.push(card);
    for (const card of V.cards) if (!shown.has(card) && within(card) && cellOf(card)) cellOf(card).hidden += 1;
    const most = [...cells.values()].flat().reduce((least, cell) => Math.max(least, cell.cards.length), 1);
    const across = along ? acrossOf(most, columns.length, fit) : Math.min(most, fit);
    return { columns, rows: heads.map((head) => row(head, cells.get(head), across)), across };
  };

  V.wordsOf = wordsOf;
  V.facets = facets;
  V.facetNamed = (name) => facets.find((facet) => facet.name === name);
  V.valuesOf = valuesOf;

  /** The whole picture; *fit* is how many cards have room side by side. */
  V.arrange = (choice, fit) => {
    const chosen = V.cards.filter(meant(choice));
    const { tabs, tab, within } = tabbed(chosen, choice);
    const cards = chosen.filter(within);
    const plan = choice.sheet ? sheet(cards, fit) : grid(cards, choice, fit, within);
    return { ...plan, tabs, tab, cards, sheet: choice.sheet };
  };
})();
