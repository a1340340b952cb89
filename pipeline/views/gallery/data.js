// What the page shows: the run's document, read once, each card with what is asked of it often.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const source = V.by('run');
  const run = JSON.parse(source.textContent);
  source.remove(); // megabytes, and nobody reads it again

  const OURS = /^(?:\.\.\/|posters\/)/;
  const WIDE = 16 / 9;
  const UNITS = new Map([['seconds', ' s']]); // no object: it has `constructor` and others of its own

  /** A link of the run folder, or nothing: whatever the document says, no request leaves it. */
  const ours = (link) => (OURS.test(link ?? '') ? link : '');

  const ratioOf = (card) => {
    const asked = (card.size || '').split('x').map(Number);
    const [width, height] = card.width && card.height ? [card.width, card.height] : asked;
    return width > 0 && height > 0 ? width / height : WIDE;
  };

  /** A value of an axis as it was written; nothing at all is a dash. */
  const text = (value) => {
    if (value == null || value === '') return '—';
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };

  const axes = run.axes.map((axis, index) => ({ ...axis, index, texts: axis.values.map(text) }));

  const prepared = (card, index) => ({
    ...card,
    index,
    short: card.key.slice(0, 12),
    ratio: ratioOf(card),
    found: `${card.prompt}\n${card.id}`.toLowerCase(),
    video: ours(card.video),
    aside: ours(card.aside),
    sidecar: ours(card.sidecar),
    amiss: [...card.differs, ...(card.media?.problems ?? [])],
    poster: ours(card.poster),
    pictures: Object.entries(card.pictures ?? {}).filter(([, link]) => ours(link)),
  });

  /** What is said of a video that the manifest was run without: it was edited, or its entry is gone. */
  V.OLD = 'no longer asked for';
  V.UNPLAYABLE = 'This file is not there, or cannot be played here.'; // a browser does not say which
  V.run = run;
  V.text = text;
  V.axes = axes;
  V.axis = (name) => axes.find((axis) => axis.name === name);
  V.cards = run.cards.map(prepared);
  V.byShort = new Map(V.cards.map((card) => [card.short, card]));

  /** The card whose video a card builds on. An edited job has its name twice: what is asked for builds on such. */
  V.sourceOf = (card) => {
    const named = card.source ? V.cards.filter(({ id }) => id === card.source) : [];
    return named.find(({ orphaned }) => orphaned === card.orphaned) ?? named[0];
  };

  /** What a card has on an axis, as text. */
  V.onAxis = (card, axis) => (card.at[axis.index] == null ? '—' : axis.texts[card.at[axis.index]]);

  /** The same, as it is shown: with its unit. */
  V.shown = (name, value) => (value === '—' ? value : value + (UNITS.get(name) ?? ''));

  /** The state as a person says it. */
  V.stateWord = (state) => state.replaceAll('_', ' ');

  V.money = (amount) => {
    if (amount == null) return '';
    const digits = Number.isInteger(amount * 100) || amount >= 1 ? 2 : 4;
    try {
      return new Intl.NumberFormat('en', {
        style: 'currency', currency: run.currency, minimumFractionDigits: 2, maximumFractionDigits: digits,
      }).format(amount);
    } catch {
      return `${amount.toFixed(digits)} ${run.currency}`; // a provider may count in credits
    }
  };

  V.span = (seconds) => {
    if (seconds == null) return '';
    if (seconds < 90) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
    return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  };

  V.size = (bytes) => {
    if (bytes == null) return '';
    const [amount, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : [bytes / 1e6, 'MB'];
    return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
  };
})();
