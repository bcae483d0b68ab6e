/**
 * A question as a Cedar request. What a policy would compare is brought into one form first (paths, hosts, branches),
 * so that no spelling slips past a rule; what cannot be brought there, or is not known, is refused with a sentence.
 */
import { posix } from 'node:path';
import type { Json, JsonObject } from '../../../kernel/index.ts';
import { type Action, type Facts, tierLevel } from '../../../schemas/index.ts';
import type { Question } from '../types.ts';
import type { CedarRequest, Needs } from './cedar.ts';

type Value = string | number | boolean | readonly string[] | { readonly [key: string]: Value };
type Attributes = Readonly<Record<string, Value>>;

export type Asked =
  | { readonly ok: true; readonly request: CedarRequest }
  | { readonly ok: false; readonly sentence: string };

interface Resource {
  readonly type: string;
  readonly id: string;
  readonly attrs: Attributes;
}

class Refused extends Error {}

/** Holds what the policies in play need, and no more. */
export function requestOf(question: Question, needs: Needs): Asked {
  try {
    const { agent, intent } = question;
    const resource = resourceOf(intent.action, intent.resource, question.facts);
    const context = {
      approvals: question.approvals,
      ...(needs.session ? { session: { ...question.session } } : {}),
      ...contextOf(intent.action, question, resource),
    };
    const principalUid = { type: 'Agov::Agent', id: agent.name };
    const resourceUid = { type: `Agov::${resource.type}`, id: resource.id };
    const level = tierLevel(agent.tier);
    const attrs = needs.identity ? { name: agent.name, tier: agent.tier, level } : { level };
    const tags = needs.arguments ? { tags: flatten(intent.args) } : {};
    // Cedar's types are mutable where ours are readonly; it does not write to them.
    const request = {
      principal: principalUid,
      action: { type: 'Agov::Action', id: intent.action },
      resource: resourceUid,
      context,
      entities: [
        { uid: principalUid, attrs, parents: [] },
        ...(needs.resource ? [{ uid: resourceUid, attrs: resource.attrs, parents: [], ...tags }] : []),
      ],
    } as unknown as CedarRequest;
    return { ok: true, request };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, sentence: error.message };
    throw error;
  }
}

/** Also says which Cedar types the actions have, for slicing. */
export function resourceType(action: Action): string {
  switch (action) {
    case 'fs.read':
    case 'fs.write':
    case 'fs.delete':
      return 'File';
    case 'process.exec':
      return 'Program';
    case 'net.request':
      return 'Endpoint';
    case 'secret.read':
    case 'secret.write':
      return 'Secret';
    case 'state.read':
    case 'state.write':
    case 'memory.read':
    case 'memory.write':
      return 'Space';
    case 'tool.call':
      return 'Tool';
    case 'model.call':
      return 'Model';
    case 'infra.plan':
    case 'infra.apply':
    case 'infra.destroy':
      return 'Environment';
    case 'repo.commit':
    case 'repo.push':
    case 'repo.merge':
    case 'repo.discard':
      return 'Branch';
    case 'agent.spawn':
    case 'agent.message':
      return 'Peer';
    case 'pipeline.run':
      return 'Pipeline';
    case 'governance.tiers':
    case 'governance.policy':
    case 'governance.trust':
    case 'governance.agent':
      return 'Subject';
  }
}

function resourceOf(action: Action, text: string, facts: Facts): Resource {
  const type = resourceType(action);
  switch (type) {
    case 'File': {
      // `src/../.env` is `.env`; where symlinks lead the facts know.
      const path = posix.normalize(facts.path ?? text);
      return { type, id: path, attrs: { path } };
    }
    case 'Endpoint':
      return { type, ...endpoint(text) };
    case 'Secret': {
      if (!/^[\w.-]+(?:\/[\w.-]+)*$/.test(text) || /(?:^|\/)\.{1,2}(?:\/|$)/.test(text)) {
        throw new Refused(`"${text}" is not a secret path: write folder/name, without "." or "..".`);
      }
      return { type, id: text, attrs: { path: text } };
    }
    case 'Branch': {
      const name = text.replace(/^refs\/heads\//, '');
      return { type, id: name, attrs: { name } };
    }
    default:
      return { type, id: text, attrs: { name: text } };
  }
}

function endpoint(text: string): Omit<Resource, 'type'> {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)\.?:(\d{1,5})$/i.exec(text);
  const host = match?.[1]?.toLowerCase();
  const port = Number(match?.[2]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Refused(`"${text}" is not an endpoint: write host:port.`);
  }
  return { id: `${host}:${port}`, attrs: { host, port } };
}

/** The typed context of each action. */
function contextOf(action: Action, { intent, facts }: Question, resource: Resource): Attributes {
  switch (action) {
    case 'fs.read':
    case 'fs.write':
    case 'fs.delete':
      return {
        inWorkspace: need(action, facts.inWorkspace, 'whether the path lies in the workspace'),
        protected: need(action, facts.protected, 'whether the path is protected'),
      };
    case 'process.exec': {
      const argv = argvOf(intent.args, resource.id);
      const program = need(action, facts.program, 'which program would run');
      return { program, command: argv.join(' '), argv: [...new Set(argv)] };
    }
    case 'net.request':
      return { ...textArgument(intent.args, 'method', (s) => s.toUpperCase()), ...textArgument(intent.args, 'path') };
    case 'state.read':
    case 'state.write':
    case 'memory.read':
    case 'memory.write':
      return { own: need(action, facts.own, 'whether the space is the agent’s own') };
    case 'infra.apply':
      return { plan: planOf(need(action, facts.plan, 'what the plan would do')) };
    case 'infra.plan':
    case 'infra.destroy':
      return facts.plan ? { plan: planOf(facts.plan) } : {};
    case 'repo.commit':
      need(action, facts.ownBranch, 'whether the branch is the agent’s own');
      return branchFacts(facts);
    case 'repo.push':
      need(action, facts.protectedBranch, 'whether the branch is protected');
      return branchFacts(facts);
    case 'repo.discard':
      need(action, facts.ownBranch, 'whether the branch is the agent’s own');
      need(action, facts.protectedBranch, 'whether the branch is protected');
      return branchFacts(facts);
    case 'repo.merge':
      return branchFacts(facts);
    case 'agent.spawn':
    case 'pipeline.run': {
      const { tier } = need(action, facts.target, 'the highest tier that would be started');
      return { target: tier, targetLevel: tierLevel(tier) };
    }
    case 'secret.read':
    case 'secret.write':
    case 'tool.call':
    case 'model.call':
    case 'agent.message':
    case 'governance.tiers':
    case 'governance.policy':
    case 'governance.trust':
    case 'governance.agent':
      return {};
  }
}

function need<T>(action: Action, fact: T | undefined, what: string): T {
  if (fact === undefined) throw new Refused(`${action} is judged by ${what}, and that is not known.`);
  return fact;
}

function planOf({ environment, creates, changes, destroys, approved = false }: NonNullable<Facts['plan']>): Attributes {
  return { environment, creates, changes, destroys, approved };
}

function branchFacts({ ownBranch, protectedBranch }: Facts): Attributes {
  return {
    ...(ownBranch === undefined ? {} : { ownBranch }),
    ...(protectedBranch === undefined ? {} : { protectedBranch }),
  };
}

function argvOf(args: JsonObject, program: string): readonly string[] {
  const { argv } = args;
  if (!Array.isArray(argv) || argv.length === 0 || !argv.every((one) => typeof one === 'string')) {
    throw new Refused('process.exec is judged by args.argv, a list of texts that begins with the program.');
  }
  // Otherwise a rule would judge one program and another would run.
  if (argv[0] !== program) throw new Refused(`The intent names "${program}", and args.argv begins with "${argv[0]}".`);
  return argv;
}

function textArgument(args: JsonObject, name: string, form = (s: string): string => s): Attributes {
  const value = args[name];
  if (value === undefined) return {};
  if (typeof value !== 'string') throw new Refused(`args.${name} must be a text.`);
  return { [name]: form(value) };
}

const maxTags = 1000;
const maxTagDepth = 16;

/** `{a: {b: [1]}}` is `{"a.b.0": "1"}`; a dot or a backslash in a key is escaped, so that no two paths meet. */
function flatten(args: JsonObject): Record<string, string> {
  const tags: Record<string, string> = Object.create(null);
  let size = 0;
  const visit = (value: Json | undefined, path: string, depth: number): void => {
    if (value === undefined) return;
    if (depth > maxTagDepth || size >= maxTags) {
      throw new Refused(
        `The arguments are too many, or nested too deep, to be judged by the rules (${maxTags}, ${maxTagDepth}).`,
      );
    }
    if (value !== null && typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) {
        const escaped = key.replace(/[\\.]/g, '\\$&');
        visit(inner, path === '' ? escaped : `${path}.${escaped}`, depth + 1);
      }
      return;
    }
    size += 1;
    tags[path] = typeof value === 'string' ? value : JSON.stringify(value);
  };
  visit(args, '', 0);
  return tags;
}
