// Fewer cards: a search as one types, values to tick, and what is chosen as chips that can be taken away.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const [search, panel, chips, count, none] = ['search', 'facets', 'chips', 'count', 'nothing'].map(V.by);
  const LISTED_MAX = 200;

  const box = (facet, { value, count: left }, choice) => {
    const shown = facet.name === 'state' ? V.stateWord(value) : V.shown(facet.label, value);
    return V.el(
      'label',
      { class: left ? '' : 'idle' },
      V.el('input', {
        type: 'checkbox', value, checked: choice.filters.get(facet.name)?.has(value) ?? false,
        on: { change: () => V.toggle(facet.name, value) },
      }),
      V.el('span', { class: 'value' }, shown),
      V.el('span', { class: 'count' }, String(left)),
    );
  };

  const group = (facet, choice) => {
    const values = V.valuesOf(facet, choice);
    if (values.length < 2 && !choice.filters.has(facet.name)) return null;
    const left = values.length - LISTED_MAX;
    return V.el(
      'fieldset',
      { data: { facet: facet.name } },
      V.el('legend', {}, facet.label),
      values.slice(0, LISTED_MAX).map((value) => box(facet, value, choice)),
      left > 0 && V.el('p', {}, `and ${left} more: search for them`),
    );
  };

  const chip = (facet, value) =>
    V.el(
      'button',
      {
        type: 'button', class: 'chip', 'aria-label': `No longer only ${facet.label} ${value}`,
        on: { click: () => V.toggle(facet.name, value) },
      },
      V.el('span', { class: 'axis-name' }, facet.label),
      V.el('span', {}, V.shown(facet.label, value)),
      V.icon('close'),
    );

  /** The panel anew, with the focus where it was. */
  const fill = (choice) => {
    const focused = document.activeElement;
    const [name, value] = [focused?.closest?.('fieldset')?.dataset.facet, focused?.value];
    const top = panel.scrollTop;
    panel.replaceChildren(...V.facets.map((facet) => group(facet, choice)).filter(Boolean));
    panel.scrollTop = top;
    if (!name) return;
    const boxes = panel.querySelectorAll(`fieldset[data-facet="${CSS.escape(name)}"] input`);
    [...boxes].find((each) => each.value === value)?.focus();
  };

  const clear = () => V.choose({ filters: new Map(), words: '' });

  /** What a button at the top leaves: a state, or what is no longer asked for. */
  const facetOf = ({ dataset: { state, facet = 'state', value = state } }) => ({ facet, value });

  V.showFilters = (choice, plan) => {
    if (document.activeElement !== search) search.value = choice.words;
    const chipsOf = (facet) => [...(choice.filters.get(facet.name) ?? [])].map((value) => chip(facet, value));
    const chosen = V.facets.flatMap(chipsOf);
    chips.hidden = chosen.length === 0;
    chips.replaceChildren(...chosen, V.el('button', { type: 'button', class: 'plain', on: { click: clear } }, 'Clear'));
    const filtered = chosen.length > 0 || V.wordsOf(choice).length > 0;
    const [some, all] = [plan.cards.length.toLocaleString('en'), V.cards.length.toLocaleString('en')];
    const videos = V.cards.length === 1 ? 'video' : 'videos';
    count.textContent = some === all ? `${all} ${videos}` : `${some} of ${all} ${videos}`;
    none.hidden = plan.cards.length > 0;
    V.by('nothing-words').textContent = filtered ? 'Nothing is like that.' : 'This run has no jobs yet.';
    V.by('nothing-clear').hidden = !filtered;
    for (const each of document.querySelectorAll('#counts button')) {
      const { facet, value } = facetOf(each);
      each.setAttribute('aria-pressed', String(choice.filters.get(facet)?.has(value) ?? false));
    }
    if (V.by('filters').matches(':popover-open')) fill(choice);
  };

  let soon = 0;
  search.addEventListener('input', () => {
    cancelAnimationFrame(soon);
    soon = requestAnimationFrame(() => V.choose({ words: search.value.trim() }, { passing: true }));
  });
  V.by('filters').addEventListener('beforetoggle', (event) => event.newState === 'open' && fill(V.choice));
  V.by('nothing-clear').addEventListener('click', clear);
  V.by('filters-clear').addEventListener('click', clear);
  for (const each of document.querySelectorAll('#counts button')) {
    each.addEventListener('click', () => V.toggle(facetOf(each).facet, facetOf(each).value));
  }
})();
