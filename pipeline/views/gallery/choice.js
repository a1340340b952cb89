// What the reader chose, and the address's hash: the one is made of the other, so a view is a link and "back" works.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const NONE = '-';
  const WIDTH = { least: 120, most: 480, usual: 220 };
  const CROWDED = 3;
  const usual = new Map();
  const listeners = [];

  const clamped = (width) => Math.min(Math.max(width || WIDTH.usual, WIDTH.least), WIDTH.most);
  const axisOr = (name, otherwise) => (name === NONE ? '' : V.axis(name) ? name : otherwise);

  /** The axis that is shown as tabs unless somebody chose: where cells would hold more than a few cards. */
  const usualTabs = (rows, columns) => {
    const names = JSON.stringify([rows, columns]);
    if (!usual.has(names)) usual.set(names, tabsFor(rows, columns));
    return usual.get(names);
  };

  const tabsFor = (rows, columns) => {
    const left = V.axes.filter(({ name, wide }) => wide && name !== rows && name !== columns && name !== 'take');
    const cells = new Map();
    const [row, column] = [V.axis(rows), V.axis(columns)];
    if (!left.length || !row || !column) return '';
    for (const card of V.cards) {
      const cell = `${card.at[row.index]},${card.at[column.index]}`;
      cells.set(cell, (cells.get(cell) ?? 0) + 1);
    }
    return Math.max(...cells.values()) > CROWDED ? splitting(left, row, column) : '';
  };

  /** Of some axes, the first that tells apart what stands in one cell; one that follows from the others does not. */
  const splitting = (left, row, column) => {
    const splits = (axis) => {
      const seen = new Map();
      return V.cards.some((card) => {
        const cell = `${card.at[row.index]},${card.at[column.index]}`;
        if (!seen.has(cell)) seen.set(cell, card.at[axis.index]);
        return seen.get(cell) !== card.at[axis.index];
      });
    };
    return left.find(splits)?.name ?? '';
  };

  const filtersOf = (given) => {
    const filters = new Map();
    for (const [name, value] of given) {
      if (!V.facetNamed(name)) continue;
      filters.set(name, (filters.get(name) ?? new Set()).add(value));
    }
    return filters;
  };

  const parsed = (hash) => {
    const given = new URLSearchParams(hash.replace(/^#/, ''));
    const rows = axisOr(given.get('rows'), V.run.y && V.axis(V.run.y) ? V.run.y : '');
    const columns = axisOr(given.get('columns'), V.run.x && V.axis(V.run.x) ? V.run.x : '');
    const sheet = given.get('as') === 'sheet' || (!rows && !columns);
    const tabs = axisOr(given.get('tabs'), sheet ? '' : usualTabs(rows, columns));
    return {
      show: given.get('show') === 'run' ? 'run' : 'videos',
      sheet,
      rows,
      columns: columns === rows ? '' : columns,
      tabs: tabs && (tabs === rows || tabs === columns) && !sheet ? '' : tabs,
      tab: given.get('tab') ?? '',
      words: given.get('q') ?? '',
      filters: filtersOf(given),
      width: clamped(Number(given.get('width'))),
      open: given.get('open') ?? '',
      picked: (given.get('picked') ?? '').split('.').filter((short) => V.byShort.has(short)).slice(0, 2),
      compare: given.has('compare'),
    };
  };

  /** The hash of a choice: only what is not as usual. */
  const written = (choice) => {
    const out = new URLSearchParams();
    const put = (name, value, otherwise = '') => value !== otherwise && out.set(name, value || NONE);
    const first = parsed('');
    put('show', choice.show, 'videos');
    if (choice.sheet && !first.sheet) out.set('as', 'sheet');
    put('rows', choice.rows, first.rows);
    put('columns', choice.columns, first.columns);
    const tabs = choice.sheet ? '' : usualTabs(choice.rows, choice.columns);
    put('tabs', choice.tabs, tabs);
    put('tab', choice.tab);
    put('q', choice.words);
    for (const [name, values] of choice.filters) for (const value of values) out.append(name, value);
    put('width', choice.width, WIDTH.usual);
    put('picked', choice.picked.join('.'));
    put('open', choice.open);
    if (choice.compare) out.set('compare', '1');
    const text = out.toString();
    return text && `#${text}`;
  };

  const apply = (hash) => {
    const before = V.choice;
    V.choice = parsed(hash);
    V.hash = hash;
    for (const listener of listeners) listener(V.choice, before);
  };

  V.width = WIDTH;
  V.onChoice = (listener) => listeners.push(listener);

  /** Choose something else. With *passing*, as while one types, "back" does not stop here. */
  V.choose = (change, { passing = false } = {}) => {
    const hash = written({ ...V.choice, ...change });
    if (hash === V.hash) return;
    if (passing) location.replace(hash || '#');
    else location.hash = hash;
    apply(hash);
  };

  /** Take up what the address says; call it once all are listening. */
  V.begin = () => {
    window.addEventListener('hashchange', () => {
      const hash = location.hash === '#' ? '' : location.hash;
      if (hash !== V.hash) apply(hash);
    });
    apply(location.hash);
  };

  /** Choose a value of a facet, or no longer. */
  V.toggle = (name, value) => {
    const filters = new Map([...V.choice.filters].map(([key, values]) => [key, new Set(values)]));
    const values = filters.get(name) ?? new Set();
    if (!values.delete(value)) values.add(value);
    if (values.size) filters.set(name, values);
    else filters.delete(name);
    V.choose({ filters });
  };
})();
