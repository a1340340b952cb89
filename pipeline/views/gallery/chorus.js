// Several videos as one: they start together, keep together and begin again together.
'use strict';

(() => {
  const V = (window.vidbatch ??= {});
  const CHECK_MS = 100;
  const APART_S = 0.03; // less than a frame of most films: not worth a touch
  const FAR_S = 0.25; // more than a change of speed would mend soon
  const MENDING = 0.08; // of the speed
  const END_S = 0.04;
  const PATIENCE_MS = 4000; // one file that does not come must not keep the others

  const ready = (video) => video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA || Boolean(video.error);
  const ended = (video) => video.ended || video.currentTime >= video.duration - END_S;

  /** Whether *video* is ready, failed, or has had its time. */
  const settled = (video) =>
    new Promise((resolve) => {
      if (ready(video)) return resolve();
      const timer = setTimeout(resolve, PATIENCE_MS);
      const done = () => (clearTimeout(timer), resolve());
      for (const event of ['canplay', 'error', 'emptied']) video.addEventListener(event, done, { once: true });
    });

  V.Chorus = class {
    constructor({ onTick = () => {} } = {}) {
      this.videos = new Set();
      this.playing = false;
      this.rate = 1;
      this.beginning = 0;
      this.onTick = onTick;
    }

    /** The longest of those that are there: the others keep to it. */
    get lead() {
      const there = [...this.videos].filter((video) => video.duration > 0 && !video.error);
      return there.reduce((best, video) => (!best || video.duration > best.duration ? video : best), null);
    }

    get length() {
      return this.lead?.duration ?? 0;
    }

    get at() {
      return this.lead?.currentTime ?? 0;
    }

    /** Another one, which falls in where the others are. */
    async join(video) {
      video.loop = false;
      this.videos.add(video);
      if (!this.playing || this.beginning) return;
      await settled(video);
      if (!this.videos.has(video) || !this.playing) return;
      video.currentTime = Math.min(this.at, video.duration || 0);
      this.#play(video);
    }

    leave(video) {
      this.videos.delete(video);
    }

    /** From the beginning, once all are ready. */
    async start() {
      const turn = (this.beginning = Math.random());
      this.#run(true);
      await Promise.all([...this.videos].map(settled));
      await this.#seek(0);
      if (this.beginning !== turn) return;
      this.beginning = 0;
      if (this.playing) for (const video of this.videos) this.#play(video);
    }

    pause() {
      this.beginning = 0;
      this.#run(false);
      for (const video of this.videos) video.pause();
      this.#seek(this.at);
    }

    go() {
      if (this.lead && ended(this.lead)) return this.start();
      this.#run(true);
      for (const video of this.videos) this.#play(video);
    }

    turn() {
      if (this.playing) this.pause();
      else this.go();
    }

    async seek(at_s) {
      await this.#seek(at_s);
      this.onTick(this);
    }

    end() {
      this.#run(false);
      this.beginning = 0;
      this.videos.clear();
    }

    #run(playing) {
      this.playing = playing;
      clearInterval(this.timer);
      if (playing) this.timer = setInterval(() => this.#tick(), CHECK_MS);
      this.onTick(this);
    }

    #play(video) {
      if (ended(video)) return;
      video.playbackRate = this.rate;
      video.play().catch(() => {}); // let go of, or cannot be played: its card says so
    }

    /** All to one time, each to its last picture where it is shorter. */
    #seek(at_s) {
      const moves = [...this.videos].filter((video) => video.duration > 0);
      return Promise.all(moves.map((video) => {
        const to = Math.min(at_s, Math.max(0, video.duration - END_S / 2));
        if (Math.abs(video.currentTime - to) < 0.001) return null;
        video.currentTime = to;
        return settled(video);
      }));
    }

    #tick() {
      const { lead } = this;
      if (!lead || this.beginning) return;
      if (ended(lead)) this.start();
      else for (const video of this.videos) if (video !== lead) this.#keep(video, lead);
      this.onTick(this);
    }

    #keep(video, lead) {
      const over = ended(video) && lead.currentTime >= video.duration - END_S;
      if (!(video.duration > 0) || video.seeking || over) return;
      const apart = video.currentTime - lead.currentTime;
      if (Math.abs(apart) > FAR_S) video.currentTime = lead.currentTime;
      video.playbackRate = this.rate * (Math.abs(apart) < APART_S ? 1 : 1 - Math.sign(apart) * MENDING);
      if (video.paused) this.#play(video);
    }
  };
})();
