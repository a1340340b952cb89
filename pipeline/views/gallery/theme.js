// Light or dark: what the system says, until the reader says otherwise. Loaded first, so that no page flashes.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const NEXT = { '': 'dark', dark: 'light', light: '' };
  const WORDS = { '': 'as the system', dark: 'dark', light: 'light' };

  /** What was remembered; a page from disk may have no storage. */
  const remembered = () => {
    try {
      return localStorage.getItem('vidbatch-theme') ?? '';
    } catch {
      return '';
    }
  };

  const remember = (theme) => {
    try {
      localStorage.setItem('vidbatch-theme', theme);
    } catch {
      // then it holds for this visit
    }
  };

  const wear = (theme) => {
    document.documentElement.dataset.theme = theme in NEXT ? theme : '';
  };

  V.theme = {
    /** To the next of the three; in words, which one it is. */
    turn() {
      const theme = NEXT[document.documentElement.dataset.theme];
      wear(theme);
      remember(theme);
      return this.words();
    },
    words: () => `Colours: ${WORDS[document.documentElement.dataset.theme]}`,
  };

  wear(remembered());
})();
