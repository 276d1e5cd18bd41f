#!/usr/bin/env node
// ONNX Runtime on the files that check_network wrote: does it compute what pare computed, and is it faster than before?
//
//     NODE_PATH=FOLDER/node_modules tests/networks/run_onnxruntime.js NETS OUT [NAME...]
//
// where `ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node` was run in FOLDER. Prints, for each network, the
// largest relative error of the whole and the two cut networks, and the median latency of batch 1 on one thread of
// PyTorch's file and of ours, taken in turns in one run.
"use strict";
const fs = require("fs");
const path = require("path");
const ort = require("onnxruntime-node");

const VARIANTS = ["full", "cut30", "cut60"];
const BOUND = 1e-4;
const ROUNDS = Number(process.env.ROUNDS || 15);

function floats(file) {
  const bytes = fs.readFileSync(file);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function relativeError(found, wanted) {
  let difference = 0;
  let most = 0;
  if (found.length !== wanted.length) return NaN;
  for (let i = 0; i < wanted.length; i++) {
    const d = Math.abs(found[i] - wanted[i]);
    if (Number.isNaN(d)) return NaN;
    difference = Math.max(difference, d);
    most = Math.max(most, Math.abs(wanted[i]));
  }
  return difference / most;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function open(file) {
  return ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential" });
}

async function runOnce(session, tensor) {
  const result = await session.run({ [session.inputNames[0]]: tensor });
  return result[session.outputNames[0]].data;
}

async function checkNetwork(nets, out, name) {
  const info = JSON.parse(fs.readFileSync(path.join(nets, name + ".json")));
  const input = floats(path.join(nets, name + ".input.bin"));
  const batch = new ort.Tensor("float32", input, [info.images, ...info.shape]);
  const one = new ort.Tensor("float32", input.slice(0, input.length / info.images), [1, ...info.shape]);
  const sessions = [await open(path.join(nets, name + ".onnx"))];
  const errors = [];
  for (const variant of VARIANTS) {
    const session = await open(path.join(out, `${name}.${variant}.onnx`));
    errors.push(relativeError(await runOnce(session, batch), floats(path.join(out, `${name}.${variant}.output.bin`))));
    sessions.push(session);
  }
  const times = sessions.map(() => []);
  for (let round = -2; round < ROUNDS; round++)
    for (let i = 0; i < sessions.length; i++) {
      const start = process.hrtime.bigint();
      await runOnce(sessions[i], one);
      if (round >= 0) times[i].push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  for (const session of sessions) await session.release();
  return { errors, medians: times.map(median) };
}

async function main() {
  const [nets, out, ...names] = process.argv.slice(2);
  let failed = 0;
  console.log("                       error of ONNX Runtime          median ms, batch 1, 1 thread");
  console.log("network                 whole     30 %     60 %    PyTorch's   whole    30 %    60 %");
  for (const name of names) {
    try {
      const { errors, medians } = await checkNetwork(nets, out, name);
      const holds = errors.every((e) => e <= BOUND);
      failed += holds ? 0 : 1;
      const row = errors.map((e) => e.toExponential(1).padStart(8)).join(" ");
      const times = medians.map((m) => m.toFixed(1).padStart(8)).join("");
      console.log(`${name.padEnd(20)} ${row}   ${times}${holds ? "" : "  BROKEN"}`);
    } catch (error) {
      failed++;
      console.log(`${name.padEnd(20)} ${String(error.message).slice(0, 160)}`);
    }
  }
  console.log(`${names.length - failed} of ${names.length} networks hold in ONNX Runtime`);
  process.exit(failed ? 1 : 0);
}

main();
