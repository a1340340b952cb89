// The page: draws what is chosen, again whenever that changes or the window does.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const ARRANGING = ['sheet', 'rows', 'columns', 'tabs', 'tab', 'words', 'width'];
  const theme = V.by('theme');

  const filtersText = ({ filters }) => JSON.stringify([...filters].map(([name, values]) => [name, [...values]]));

  /** Whether cards stand elsewhere than *before*. */
  const moved = (choice, before) =>
    !before || ARRANGING.some((name) => choice[name] !== before[name]) || filtersText(choice) !== filtersText(before);

  const showView = ({ show }) => {
    V.by('videos').hidden = show !== 'videos';
    V.by('the-run').hidden = show !== 'run';
    for (const link of document.querySelectorAll('#views button')) {
      if (link.dataset.show === show) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  };

  const redraw = (choice) => {
    V.solo.stop();
    V.together.stop();
    return V.draw(choice);
  };

  V.onChoice((choice, before) => {
    showView(choice);
    const shownAgain = before && before.show !== choice.show;
    if (choice.show === 'videos' && (moved(choice, before) || shownAgain)) {
      const plan = redraw(choice);
      V.showLayout(choice, plan);
      V.showFilters(choice, plan);
    }
    if (!V.plan()) return;
    V.showCompare(choice);
    V.showDetail(choice);
  });

  for (const link of document.querySelectorAll('#views button')) {
    link.addEventListener('click', () => V.choose({ show: link.dataset.show }));
  }

  const wearTheme = (words) => {
    theme.setAttribute('aria-label', words);
    theme.title = words;
  };
  theme.addEventListener('click', () => wearTheme(V.theme.turn()));
  wearTheme(V.theme.words());
  V.by('keys-open').addEventListener('click', () => V.by('keys').showModal());
  V.by('keys-close').addEventListener('click', () => V.by('keys').close());

  let room = 0;
  new ResizeObserver(() => {
    if (V.scroller.clientWidth === room || !V.plan() || V.choice.show !== 'videos') return;
    room = V.scroller.clientWidth;
    redraw(V.choice);
    V.showCompare(V.choice);
  }).observe(V.scroller);

  V.begin();
  document.documentElement.classList.add('ready');
})();
