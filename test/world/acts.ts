/** Who plays what a plan names. */
import { pair } from "./pair.js";
import { pipeline } from "./pipeline.js";
import type { Family } from "./plan.js";
import { publish } from "./publish.js";
import { request } from "./request.js";
import type { Act } from "./scene.js";
import { survey } from "./survey.js";

export const acts: Readonly<Record<Family, Act>> = {
  pipeline,
  pair,
  pair1: pair,
  request,
  publish,
  survey,
};
