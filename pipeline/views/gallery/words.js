// Where two texts differ, word by word.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const WORDS_MAX = 600; // the table is this squared

  /** How long a common run of words the tails of two texts have, as a table. */
  const lengths = (a, b) => {
    const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i -= 1) {
      for (let j = b.length - 1; j >= 0; j -= 1) {
        table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
      }
    }
    return table;
  };

  /** Of two texts, each in pieces: `[piece, whether the other has it, too]`. */
  V.wordsApart = (one, other) => {
    const [a, b] = [one.split(/(\s+)/), other.split(/(\s+)/)];
    if (Math.max(a.length, b.length) > WORDS_MAX) return [[[one, one === other]], [[other, one === other]]];
    const table = lengths(a, b);
    const [first, second] = [[], []];
    let [i, j] = [0, 0];
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) {
        first.push([a[i++], true]);
        second.push([b[j++], true]);
      } else if (j >= b.length || (i < a.length && table[i + 1][j] >= table[i][j + 1])) first.push([a[i++], false]);
      else second.push([b[j++], false]);
    }
    return [first, second];
  };
})();
