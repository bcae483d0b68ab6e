/**
 * What every git of ours is told: to be deaf to the configuration of user and machine, and to start nothing that a
 * repository names. By the environment, so that the gits which git starts hear it too.
 */

const everywhere: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.pager': 'cat',
};

/** For git outside of every sandbox. Older ones do not know the first of these, and would start what a remote names. */
export const fetchingNothing = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none' } as const;

/** With these settings over those of the repository. */
export function gitEnvironment(settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const all = Object.entries({ ...everywhere, ...settings });
  const configured = all.flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${i}`, key],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ]);
  return {
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    LC_ALL: 'C',
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(configured),
  };
}
