// A row, a column or all that is seen, played as one; what scrolls into view falls in, what leaves it is let go of.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const bar = V.by('together');
  const parts = ['words', 'turn', 'scrub', 'clock', 'speed'];
  const [words, turn, scrub, clock, speed] = parts.map((name) => V.by(`together-${name}`));
  const chorus = new V.Chorus({ onTick: (now) => show(now) });
  let wanted = null;
  let scrubbing = false;

  const clockOf = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;

  const show = ({ at, length, playing }) => {
    clock.textContent = `${clockOf(at)} / ${clockOf(length)}`;
    scrub.max = length || 1;
    if (!scrubbing) scrub.value = at;
    turn.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    turn.firstElementChild.firstElementChild.setAttribute('href', playing ? '#icon-pause' : '#icon-play');
    const next = `${chorus.videos.size} playing together: ${wanted?.name ?? ''}`;
    if (words.textContent !== next) words.textContent = next;
  };

  const add = (element) => {
    if (!element.card.video || V.films.of(element) || chorus.videos.size >= V.films.most) return;
    chorus.join(V.films.take(element));
  };

  const begin = (name, wants) => {
    stop();
    V.solo.stop();
    wanted = { name, wants };
    bar.hidden = false;
    for (const element of V.seen) if (wants(element)) add(element);
    chorus.start();
  };

  const stop = () => {
    if (!wanted) return;
    wanted = null;
    chorus.end();
    V.films.releaseAll();
    bar.hidden = true;
  };

  V.together = {
    get on() {
      return wanted !== null;
    },
    row: (n, value) => begin(value ? `${V.choice.rows} ${value}` : 'this row', (element) => element.row === n),
    column: (n, value) =>
      begin(value ? `${V.choice.columns} ${value}` : 'this column', (element) => element.column === n),
    all: () => begin('all that is seen', () => true),
    turn: () => chorus.turn(),
    stop,

    /** A card came into view. */
    seen(element) {
      if (wanted?.wants(element)) add(element);
    },

    /** It left: its video need not be loaded. */
    unseen(element) {
      const video = V.films.of(element);
      if (!wanted || !video) return;
      chorus.leave(video);
      V.films.release(element);
    },
  };

  turn.addEventListener('click', () => chorus.turn());
  V.by('together-stop').addEventListener('click', stop);
  V.by('play-all').addEventListener('click', () => V.together.all());
  scrub.addEventListener('pointerdown', () => (scrubbing = true));
  scrub.addEventListener('input', () => chorus.seek(Number(scrub.value)));
  scrub.addEventListener('change', () => (scrubbing = false));
  speed.addEventListener('change', () => {
    chorus.rate = Number(speed.value);
    for (const video of chorus.videos) video.playbackRate = chorus.rate;
  });
})();
