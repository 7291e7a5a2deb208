// The path of a picture, in the browser: bytes → pixels → tensor → logits → answer.
// Every number that is the model's comes from its card.

const BASE = new URL(".", import.meta.url);
const FOR = [220, 60, 30];
const AGAINST = [40, 90, 210];

/** Load the network and its card. */
export async function load() {
  const ort = await import(new URL("ort/ort.wasm.min.mjs", BASE));
  ort.env.wasm.wasmPaths = new URL("ort/", BASE).href;
  // Threads need a page that shares nothing with others; most web servers do not say so.
  ort.env.wasm.numThreads = self.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  const card = await (await fetch(new URL("model.json", BASE))).json();
  const session = await ort.InferenceSession.create(new URL("model.onnx", BASE).href);
  return { ort, card, session };
}

/** Decode a file to upright RGBA on white: { data: Uint8ClampedArray, width, height }. */
export async function decode(blob) {
  const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Which of `size` pixels make each of `wanted`, and how much: a triangle, as wide as the scale. */
function weights(size, wanted, from, to) {
  const scale = (to - from) / wanted;
  const support = Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, place) => {
    const centre = from + (place + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const last = Math.min(size, Math.floor(centre + support + 0.5));
    const each = [];
    for (let at = first; at < last; at++) {
      each.push(Math.max(0, 1 - Math.abs((at - centre + 0.5) / support)));
    }
    const sum = each.reduce((a, b) => a + b, 0);
    return { first, each: each.map((one) => one / sum) };
  });
}

/** The part of a side that the network is shown, from the middle: [from, to] in pixels. */
function shown(size, how) {
  return [(size * (1 - how.crop_fraction)) / 2, (size * (1 + how.crop_fraction)) / 2];
}

/** Resize as Pillow does (bilinear, antialiased, rows first, rounded between): RGB Uint8ClampedArray. */
export function resize(image, how) {
  if (how.geometry !== "stretch" || how.resample !== "bilinear") {
    throw new Error("this page knows one way to resize, and the model's card asks for another");
  }
  const across = weights(image.width, how.width, ...shown(image.width, how));
  const down = weights(image.height, how.height, ...shown(image.height, how));
  const rows = new Uint8ClampedArray(image.height * how.width * 3);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < how.width; x++) {
      const { first, each } = across[x];
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let k = 0; k < each.length; k++) sum += each[k] * image.data[(y * image.width + first + k) * 4 + c];
        rows[(y * how.width + x) * 3 + c] = sum; // clamped and rounded by the array
      }
    }
  }
  const out = new Uint8ClampedArray(how.height * how.width * 3);
  for (let y = 0; y < how.height; y++) {
    const { first, each } = down[y];
    for (let at = 0; at < how.width * 3; at++) {
      let sum = 0;
      for (let k = 0; k < each.length; k++) sum += each[k] * rows[(first + k) * how.width * 3 + at];
      out[y * how.width * 3 + at] = sum;
    }
  }
  return out;
}

/** Normalise to Float32Array [3, height, width]. */
export function normalise(pixels, how) {
  const places = how.height * how.width;
  const tensor = new Float32Array(3 * places);
  for (let at = 0; at < places; at++) {
    for (let c = 0; c < 3; c++) {
      tensor[c * places + at] = (pixels[at * 3 + c] / 255 - how.mean[c]) / how.std[c];
    }
  }
  return tensor;
}

/** What the logits mean: { label, probabilities, score }. */
export function conclude(logits, card) {
  const highest = Math.max(...logits);
  const score = highest + Math.log(logits.reduce((sum, each) => sum + Math.exp(each - highest), 0));
  const soft = logits.map((each) => Math.exp((each - highest) / card.temperature));
  const sum = soft.reduce((a, b) => a + b, 0);
  const probabilities = Object.fromEntries(card.labels.map((label, k) => [label, soft[k] / sum]));
  const likeliest = card.labels.reduce((a, b) => (probabilities[a] >= probabilities[b] ? a : b));
  return { label: score < card.rejection.threshold ? "neither" : likeliest, likeliest, probabilities, score };
}

/** Classify a file. */
export async function classify(model, blob) {
  const image = await decode(blob);
  const how = model.card.preprocessing;
  const tensor = normalise(resize(image, how), how);
  const input = new model.ort.Tensor("float32", tensor, [1, 3, how.height, how.width]);
  const out = await model.session.run({ pixel_values: input });
  const answer = conclude(Array.from(out.logits.data), model.card);
  const [, , h, w] = out.class_map.dims;
  const start = model.card.labels.indexOf(answer.likeliest) * h * w;
  return { ...answer, image, how, places: { data: out.class_map.data.slice(start, start + h * w), width: w, height: h } };
}

/** How far the rows of a class map reach, as a part of the side: 7 of 32 pixels go beyond 200. */
function reach(places, side) {
  const stride = 2 ** Math.round(Math.log2(side / places));
  const fits = [Math.floor(side / stride), Math.ceil(side / stride)].includes(places);
  return fits ? (places * stride) / side : 1;
}

/** Draw a picture with its places coloured, as strongly as `strength` in [0, 1] says. */
export function overlay(canvas, { image, how, places }, strength) {
  const most = Math.max(...Array.from(places.data, Math.abs), 1e-6);
  const small = document.createElement("canvas");
  small.width = places.width;
  small.height = places.height;
  const mask = new ImageData(places.width, places.height);
  places.data.forEach((value, at) => {
    const colour = value > 0 ? FOR : AGAINST;
    mask.data.set([...colour, (255 * strength * Math.abs(value)) / most], at * 4);
  });
  small.getContext("2d").putImageData(mask, 0, 0);
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d");
  context.putImageData(image, 0, 0);
  context.imageSmoothingQuality = "high";
  const [[left, right], [top, bottom]] = [shown(image.width, how), shown(image.height, how)];
  const [wide, high] = [reach(places.width, how.width), reach(places.height, how.height)];
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
  context.drawImage(small, left, top, wide * (right - left), high * (bottom - top));
}

function show(root, found) {
  const said = (share) => `${(100 * share).toFixed(1)} %`;
  root.querySelector(".pawsight-answer").textContent =
    found.label === "neither"
      ? "Neither a cat nor a dog, as far as this network can tell."
      : `A ${found.label}: ${said(found.probabilities[found.label])} sure.`;
  root.querySelector(".pawsight-bars").replaceChildren(
    ...Object.entries(found.probabilities).map(([label, share]) => {
      const row = document.createElement("label");
      const bar = document.createElement("progress");
      bar.max = 1;
      bar.value = share;
      row.append(`${label} ${said(share)} `, bar);
      return row;
    }),
  );
  root.querySelector(".pawsight-result").hidden = false;
  const strength = root.querySelector(".pawsight-strength");
  const draw = () => overlay(root.querySelector("canvas"), found, strength.value / 100);
  strength.oninput = draw;
  draw();
}

async function start(root) {
  const status = root.querySelector(".pawsight-answer");
  let model;
  try {
    model = await load();
  } catch (error) {
    status.textContent = `The model could not be loaded: ${error.message}`;
    return;
  }
  status.textContent = "Ready.";
  const answer = async (blob) => {
    status.textContent = "Looking …";
    try {
      show(root, await classify(model, blob));
    } catch {
      status.textContent = "Your browser cannot read this file as a picture.";
    }
  };
  root.querySelector("input[type=file]").onchange = (event) => event.target.files[0] && answer(event.target.files[0]);
  for (const button of root.querySelectorAll("[data-example]")) {
    button.onclick = async () => answer(await (await fetch(new URL(button.dataset.example, BASE))).blob());
  }
  root.ondragover = (event) => event.preventDefault();
  root.ondrop = (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) answer(event.dataTransfer.files[0]);
  };
}

const root = document.getElementById("pawsight-demo");
if (root) start(root);
