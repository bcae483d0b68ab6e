/**
 * The way to a model's server: no redirects, nothing but https except to this machine, and an answer that is bounded in
 * bytes and in silence. The time of the whole call is the caller's to bound.
 */
import { AgovError, type Env } from '../../../kernel/index.ts';

export interface FetchLimits {
  readonly maxBytes: number;
  /** How long nothing may come. */
  readonly silenceMs: number;
}

/** Aborts `stop` where the server has gone silent or sends without end. */
export function boundedFetch(env: Env, { maxBytes, silenceMs }: FetchLimits, stop: AbortController): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    refuseOpenWay(url);
    const silent = new AgovError('MODEL_UNAVAILABLE', {
      what: `The model’s server at ${url.host} sent nothing for ${silenceMs} ms.`,
      fix: 'Try again, or raise "silence" of the model in agov.yaml.',
    });
    let timer = env.timer(() => stop.abort(silent), silenceMs);
    const heard = (): void => {
      timer[Symbol.dispose]();
      timer = env.timer(() => stop.abort(silent), silenceMs);
    };
    const done = (): void => timer[Symbol.dispose]();
    stop.signal.addEventListener('abort', done, { once: true });
    try {
      const signal = init?.signal ? AbortSignal.any([init.signal, stop.signal]) : stop.signal;
      // A server that sends us elsewhere would have the key carried there.
      const response = await fetch(url, { ...init, signal, redirect: 'error' });
      if (!response.body) {
        done();
        return response;
      }
      let size = 0;
      const bounded = new TransformStream<Uint8Array, Uint8Array>({
        start: heard,
        transform(chunk, controller) {
          heard();
          size += chunk.length;
          if (size > maxBytes) stop.abort(tooLong(url, maxBytes));
          else controller.enqueue(chunk);
        },
        flush: done,
      });
      const { status, statusText, headers } = response;
      return new Response(response.body.pipeThrough(bounded, { signal }), { status, statusText, headers });
    } catch (error) {
      done();
      throw error;
    }
  };
}

function refuseOpenWay({ protocol, hostname, host }: URL): void {
  const own = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && own)) return;
  throw new AgovError('MODEL_FAILED', {
    what: `The model’s server at ${host} is not asked over ${protocol}//.`,
    why: 'Key and prompt would be readable on the way.',
    fix: 'Use https.',
  });
}

function tooLong({ host }: URL, maxBytes: number): AgovError {
  return new AgovError('MODEL_FAILED', {
    what: `The model’s server at ${host} sent more than ${maxBytes} bytes for one answer.`,
    fix: 'No answer is so long: look at the server.',
  });
}
