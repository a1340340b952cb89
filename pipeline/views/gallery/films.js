// The videos that are loaded: few at a time, each over its card's picture, and let go of when far away.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const LOADED_MAX = 20;
  const FRAMES_AT_ONCE = 3;
  const FIRST_FRAME_S = 0.1; // some encoders begin with black
  const FRAME_WIDTH = 480;
  const loaded = new Map();
  const waiting = new Set();
  let drawing = 0;

  const broken = (element) => {
    V.films.release(element);
    element.classList.add('broken');
  };

  const load = (element, preload) => {
    const video = V.el('video', { playsinline: true, preload, tabindex: -1, 'aria-hidden': 'true' });
    video.muted = true;
    video.disablePictureInPicture = true;
    video.src = element.card.video;
    return video;
  };

  const unload = (video) => {
    video.pause();
    video.removeAttribute('src');
    video.load();
    video.remove();
  };

  V.films = {
    most: LOADED_MAX,
    of: (element) => loaded.get(element),

    /** The video over the card *element*, loading from now on; where there are too many, the oldest makes room. */
    take(element) {
      if (loaded.has(element)) return loaded.get(element);
      if (loaded.size >= LOADED_MAX) this.release(loaded.keys().next().value);
      const video = load(element, 'auto');
      video.addEventListener('loadeddata', () => element.classList.add('live'));
      video.addEventListener('error', () => loaded.get(element) === video && broken(element));
      loaded.set(element, video);
      element.querySelector('.frame').append(video);
      return video;
    },

    release(element) {
      waiting.delete(element);
      const video = loaded.get(element);
      if (!video) return;
      loaded.delete(element);
      element.classList.remove('live');
      unload(video);
    },

    releaseAll() {
      for (const element of [...loaded.keys()]) this.release(element);
    },

    /** A card without a poster that is seen has its video's first frame drawn, a few cards at a time. */
    picture(element) {
      if (element.card.video && !element.card.poster && !element.querySelector('canvas')) waiting.add(element);
      drawNext();
    },

    /** It is seen no more: what has not been begun need not be. */
    forget: (element) => waiting.delete(element),
  };

  const drawNext = () => {
    if (drawing >= FRAMES_AT_ONCE || !waiting.size) return;
    const [element] = waiting;
    waiting.delete(element);
    drawing += 1;
    draw(element);
    drawNext();
  };

  const draw = (element) => {
    const video = load(element, 'auto');
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      unload(video);
      drawing -= 1;
      drawNext();
    };
    video.addEventListener('loadeddata', () => (video.currentTime = FIRST_FRAME_S), { once: true });
    video.addEventListener('seeked', () => (paint(element, video), end()), { once: true });
    video.addEventListener('error', () => (over || element.classList.add('broken'), end()), { once: true });
  };

  const paint = (element, video) => {
    const width = Math.min(FRAME_WIDTH, video.videoWidth);
    const canvas = V.el('canvas', { class: 'poster', 'aria-hidden': 'true' });
    canvas.width = width;
    canvas.height = Math.round((width * video.videoHeight) / video.videoWidth);
    canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
    element.querySelector('.frame').prepend(canvas);
  };
})();
