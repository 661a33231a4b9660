
"use strict";

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const STEP = 1, LEAP = 10; // percent of the divider; an arrow key alone, and with Shift or Page Up and Down

/** One photo: the overview with its divider, the magnifier, and a magnified part of every layer. */
class Photo {
  constructor(section) {
    const find = (selector) => section.querySelector(selector);
    [this.stage, this.lens, this.divider] = [".stage", ".lens", ".divider"].map(find);
    [this.left, this.right, this.before, this.after] = [".left", ".right", ".before", ".after"].map(find);
    this.zoom = find(".area input");
    this.area = find(".area output");
    this.layers = [...section.querySelectorAll(".layer")].map((figure) => new Layer(figure, this));
    this.split = 50;
    this.centre = [0.5, 0.5]; // of the magnifier, as parts of width and height: the same place at every scale
    const last = this.layers.findLastIndex((layer) => layer.figure.dataset.kind !== "sharp");
    this.left.selectedIndex = last > 1 ? 1 : 0;
    this.right.selectedIndex = last;
    const widest = Math.max(...this.layers.map((layer) => layer.picture.naturalWidth));
    const { naturalWidth, naturalHeight } = this.layers[0].picture;
    this.stage.style.setProperty("--aspect", naturalWidth / naturalHeight);
    this.stage.style.setProperty("--widest", Math.max(2 * widest, 320));
    find(".overview").hidden = false;
    section.classList.add("live");
    section.classList.toggle("scored", this.layers.some((layer) => layer.picture.dataset.score));
    this.listen();
    this.showLayers();
    this.setSplit(50);
    new ResizeObserver(() => this.magnify()).observe(section);
  }

  listen() {
    for (const select of [this.left, this.right]) select.addEventListener("change", () => this.showLayers());
    this.zoom.addEventListener("input", () => this.magnify());
    this.divider.addEventListener("keydown", (event) => this.moveDivider(event));
    this.lens.addEventListener("keydown", (event) => this.moveLens(event));
    this.stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      this.divider.focus({ preventScroll: true });
      this.stage.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.point(event);
    });
    this.stage.addEventListener("pointermove", (event) => this.point(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(end, () => { this.dragging = false; });
    }
  }

  /** Move the magnifier to the pointer, and the divider with it while a button is down. */
  point(event) {
    const box = this.stage.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    if (this.dragging) this.setSplit(100 * x);
    this.centre = [x, y];
    this.magnify();
  }

  moveDivider(event) {
    const step = event.shiftKey ? LEAP : STEP;
    const targets = {
      ArrowLeft: this.split - step, ArrowDown: this.split - step, PageDown: this.split - LEAP, Home: 0,
      ArrowRight: this.split + step, ArrowUp: this.split + step, PageUp: this.split + LEAP, End: 100,
    };
    if (!(event.key in targets) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.setSplit(targets[event.key]);
  }

  moveLens(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [width, height] = this.lensSize().map((part) => part / (event.shiftKey ? 1 : 8));
    const moves = { ArrowLeft: [-width, 0], ArrowRight: [width, 0], ArrowUp: [0, -height], ArrowDown: [0, height] };
    const steps = { "+": -0.5, "=": -0.5, "-": 0.5 };
    if (event.key in moves) this.centre = this.clamped().map((value, axis) => value + moves[event.key][axis]);
    else if (event.key in steps) this.zoom.value = Number(this.zoom.value) + steps[event.key];
    else return;
    event.preventDefault();
    this.magnify();
  }

  setSplit(percent) {
    this.split = clamp(percent, 0, 100);
    this.stage.style.setProperty("--split", `${this.split}%`);
    const share = Math.round(this.split);
    this.divider.setAttribute("aria-valuenow", share);
    const [left, right] = [this.left, this.right].map((select) => select.value);
    this.divider.setAttribute("aria-valuetext", `${share} % ${left}, ${100 - share} % ${right}`);
  }

  /** Put the chosen layers on the stage. */
  showLayers() {
    for (const [image, select] of [[this.before, this.left], [this.after, this.right]]) {
      const layer = this.layers[select.selectedIndex];
      if (image.src !== layer.picture.src) image.src = layer.picture.src;
      image.alt = layer.figure.dataset.name;
    }
    this.setSplit(this.split);
    this.magnify();
    this.markBest();
  }

  /** Mark the layer of the best score among those that are shown. */
  markBest() {
    const scores = this.layers.map((layer) => layer.score).filter((score) => !Number.isNaN(score));
    for (const layer of this.layers) {
      const best = scores.length > 1 && layer.score === Math.max(...scores);
      layer.figure.querySelector(".score").classList.toggle("best", best);
    }
  }

  /** Return the width and height of the magnified square as parts of the photo's. */
  lensSize() {
    const { naturalWidth, naturalHeight } = this.layers[0].picture;
    this.pixels = Math.min(Math.round(2 ** Number(this.zoom.value)), naturalWidth, naturalHeight);
    return [this.pixels / naturalWidth, this.pixels / naturalHeight];
  }

  /** Return the centre of the magnifier so that it lies within the photo. */
  clamped() {
    const size = this.lensSize();
    return this.centre.map((value, axis) => clamp(value, size[axis] / 2, 1 - size[axis] / 2));
  }

  magnify() {
    const [size, centre] = [this.lensSize(), this.clamped()];
    this.centre = centre;
    const percent = (value) => `${100 * value}%`;
    Object.assign(this.lens.style, {
      left: percent(centre[0] - size[0] / 2), top: percent(centre[1] - size[1] / 2),
      width: percent(size[0]), height: percent(size[1]),
    });
    this.area.value = `${this.pixels} × ${this.pixels} pixels of the photo`;
    for (const layer of this.layers) layer.magnify(centre, size);
  }
}

/** What one model made of the photo: its rounds, the one that is shown, its kernels. */
class Layer {
  constructor(figure, photo) {
    this.figure = figure;
    this.pictures = [...figure.querySelectorAll(".picture")];
    this.kernels = [...figure.querySelectorAll(".kernel")];
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${figure.dataset.name}, magnified`);
    figure.querySelector("figcaption").after(this.canvas);
    for (const button of figure.querySelectorAll(".rounds input")) {
      button.addEventListener("change", () => { this.choose(Number(button.value)); photo.showLayers(); });
    }
    const checked = figure.querySelector(".rounds input:checked");
    this.choose(checked ? Number(checked.value) : 0);
  }

  choose(round) {
    this.picture = this.pictures[round];
    this.figure.querySelector(".score").textContent = this.picture.dataset.score;
    const shown = Math.min(round, this.kernels.length - 1);
    this.kernels.forEach((kernel, index) => { kernel.hidden = index !== shown; });
    const caption = this.figure.querySelector(".kernel-caption");
    if (caption) caption.textContent = this.kernels[shown].dataset.caption;
  }

  /** The PSNR of what is shown: Infinity where it equals the sharp photo, NaN where it has none. */
  get score() {
    const text = this.picture.dataset.score;
    return text.startsWith("inf") ? Infinity : parseFloat(text);
  }

  /** Draw the square around `centre`, both as parts of the picture, with its pixels as squares. */
  magnify(centre, size) {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio);
    if (!side) return;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const { naturalWidth, naturalHeight } = this.picture;
    const [width, height] = [size[0] * naturalWidth, size[1] * naturalHeight];
    const [left, top] = [centre[0] * naturalWidth - width / 2, centre[1] * naturalHeight - height / 2];
    const context = this.canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, side, side);
    context.drawImage(this.picture, left, top, width, height, 0, 0, side, side);
    this.canvas.dataset.place = [...centre, ...size].map((part) => part.toFixed(5)).join(" ");
  }
}

async function start() {
  for (const section of document.querySelectorAll(".photo")) {
    await Promise.all([...section.querySelectorAll(".picture")].map((image) => image.decode()));
    new Photo(section);
  }
  document.body.dataset.ready = "true";
}
start();
