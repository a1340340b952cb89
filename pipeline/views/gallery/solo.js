// One video plays while it is pointed at, or because somebody asked.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const HESITATION_MS = 120; // a pointer that only passes by starts nothing
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let playing = null;
  let soon = 0;

  const start = (element) => {
    if (!element.card.video || playing === element || V.together.on) return;
    stop();
    playing = element;
    const video = V.films.take(element);
    video.loop = true;
    element.classList.add('playing');
    video.play().catch(() => {}); // let go of before it began
  };

  const stop = () => {
    clearTimeout(soon);
    if (!playing) return;
    playing.classList.remove('playing');
    if (!V.together.on) V.films.release(playing);
    playing = null;
  };

  V.solo = {
    stop,
    /** Play a card, or hold it again. */
    turn: (element) => (playing === element ? stop() : start(element)),
  };

  const cardOf = (event) => event.target.closest?.('.card');

  V.board.addEventListener('pointerover', (event) => {
    const element = cardOf(event);
    if (!element || event.pointerType !== 'mouse' || calm.matches || element === playing) return;
    clearTimeout(soon);
    soon = setTimeout(start, HESITATION_MS, element);
  });
  V.board.addEventListener('pointerout', (event) => {
    const element = cardOf(event);
    if (event.pointerType !== 'mouse' || !element || element.contains(event.relatedTarget)) return;
    clearTimeout(soon);
    if (element === playing && element !== document.activeElement) stop();
  });
  V.board.addEventListener('focusin', (event) => {
    const element = cardOf(event);
    if (element && !calm.matches && element.matches(':focus-visible')) start(element);
  });
  V.board.addEventListener('focusout', (event) => cardOf(event) === playing && stop());
})();
