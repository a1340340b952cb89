// Which axis stands where: the menus above the grid, the tabs, and how large a card is.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const [rows, columns, tabs, width] = ['rows', 'columns', 'tabs', 'width'].map((name) => V.by(`choose-${name}`));
  const list = V.by('tabs');
  const [asGrid, asSheet] = [V.by('as-grid'), V.by('as-sheet')];

  const options = (select) => {
    const named = V.axes.map(({ name }) => V.el('option', { value: name }, name));
    select.replaceChildren(V.el('option', { value: '' }, 'none'), ...named);
  };

  /** An axis stands in one place: where it is taken from another, they change places. */
  const put = (place, name) => {
    const now = { rows: V.choice.rows, columns: V.choice.columns, tabs: V.choice.tabs };
    const other = Object.keys(now).find((key) => key !== place && name && now[key] === name);
    const moved = other ? { [other]: now[place] } : {};
    const tab = place === 'tabs' || other === 'tabs' ? '' : V.choice.tab;
    V.choose({ ...now, ...moved, [place]: name, tab, sheet: false });
  };

  const tab = ({ value, count }, plan) =>
    V.el(
      'button',
      {
        type: 'button', role: 'tab', 'aria-controls': 'scroller',
        'aria-selected': String(value === plan.tab), tabindex: value === plan.tab ? 0 : -1,
        on: { click: () => V.choose({ tab: value }) },
      },
      V.shown(V.choice.tabs, value),
      V.el('span', { class: 'count' }, String(count)),
    );

  V.showLayout = (choice, plan) => {
    rows.value = choice.sheet ? '' : choice.rows;
    columns.value = choice.sheet ? '' : choice.columns;
    tabs.value = choice.tabs;
    width.value = choice.width;
    asGrid.setAttribute('aria-pressed', String(!choice.sheet));
    asSheet.setAttribute('aria-pressed', String(choice.sheet));
    const focused = list.contains(document.activeElement);
    list.hidden = plan.tabs.length === 0;
    list.setAttribute('aria-label', choice.tabs);
    const name = V.el('span', { class: 'axis-name', role: 'presentation' }, choice.tabs);
    list.replaceChildren(name, ...plan.tabs.map((each) => tab(each, plan)));
    const chosen = list.querySelector('[aria-selected="true"]');
    if (focused) chosen?.focus();
    chosen?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  };

  /** To the tab that is *step* further. */
  V.stepTab = (step) => {
    const { tabs: all, tab: now } = V.plan();
    if (!all.length) return;
    const n = all.findIndex(({ value }) => value === now);
    V.choose({ tab: all[(n + step + all.length) % all.length].value });
  };

  V.swap = () => V.choose({ rows: V.choice.columns, columns: V.choice.rows, sheet: false });

  /** The cards of one cell, all of them: a sheet with its values as filters. */
  V.widen = (card) => {
    const filters = new Map(V.choice.filters);
    for (const name of [V.choice.rows, V.choice.columns, V.choice.tabs].filter(Boolean)) {
      const facet = V.facets.find((each) => each.name === `axis.${name}` || each.name === name);
      filters.set(facet.name, new Set([facet.of(card)]));
    }
    V.choose({ sheet: true, tabs: '', filters });
  };

  [rows, columns, tabs].forEach(options);
  V.by('layout').hidden = V.axes.length === 0;
  rows.addEventListener('change', () => put('rows', rows.value));
  columns.addEventListener('change', () => put('columns', columns.value));
  tabs.addEventListener('change', () => V.choose({ tabs: tabs.value, tab: '' }));
  width.addEventListener('input', () => V.choose({ width: Number(width.value) }, { passing: true }));
  V.by('swap').addEventListener('click', V.swap);
  asGrid.addEventListener('click', () => {
    const rowless = V.choice.columns ? '' : V.axes[0].name;
    V.choose({ sheet: false, rows: V.choice.rows || rowless });
  });
  asSheet.addEventListener('click', () => V.choose({ sheet: true }));
  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    V.stepTab(step);
  });
})();
