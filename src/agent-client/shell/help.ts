/** What `agov act help` says; the page in docs/generated is made of the same. */
export const actExamples: readonly string[] = [
  'agov act whoami',
  'agov act tools',
  'agov act fs.write --arg path=notes.md --arg content="done"',
  'agov act git.commit --json-args \'{"message": "Fix the build"}\'',
  'agov act exec --timeout 5m -- npm test',
  'agov act explain -- npm publish',
  'agov act lock db --wait 30s -- ./migrate.sh',
  'agov act board set state done',
  'agov act board get state',
  'agov act wait 0199c2d4-5e6f-7a8b-9c0d-1e2f3a4b5c6d',
];

export const actHelp: string = `agov act: ask the governor, as the agent that this process runs as. --json prints its answer.

${actExamples.map((line) => `  ${line}`).join('\n')}

Arguments of tools: --arg key=text, --arg key:=json, --json-args JSON; a key that comes twice is a list.
Exit codes: 77 when it is denied, 75 when an operator must approve it first, else those of docs/generated/errors.md.
`;
