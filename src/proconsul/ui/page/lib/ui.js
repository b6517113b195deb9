// What every other module takes from the vendored libraries, so that there is one place to look for their versions:
// Preact 10.29.8, @preact/signals 2.11.4 with signals-core 1.14.5, htm 3.1.1 (licences: NOTICE).
import { h, render, Fragment } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { h, render, Fragment };
export { useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback } from "../vendor/hooks.js";
export { signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect } from "../vendor/signals.js";

export const html = htm.bind(h);
