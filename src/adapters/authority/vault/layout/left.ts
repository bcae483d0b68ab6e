/** What agov does not mend, because others may rely on it or because it cannot be undone; and what a person can do. */
import type { JsonObject } from '../../../../kernel/index.ts';
import type { Difference } from '../../port.ts';
import type { Wanted } from './wanted.ts';

type Left = NonNullable<Difference['left']>;

export const leftTo = {
  /** Undefined where it can be mended. */
  aPerson(wanted: Wanted, is: JsonObject): Left | undefined {
    const sameType = is['type'] === wanted.should['type'];
    switch (wanted.kind) {
      case 'kv':
        return kvLeft(wanted.mount, is, sameType);
      case 'transit':
        return sameType ? undefined : taken(wanted.mount, is, 'another mount under ledger.key');
      case 'key':
        return onlyDeletion(wanted.should, is) ? undefined : keyLeft(wanted.key);
      case 'login':
        return sameType ? undefined : taken(`auth/${wanted.mount}`, is, 'another secrets.vault.prefix');
      case 'group':
        return sameType ? undefined : groupLeft(wanted.name);
      case 'audit':
        return {
          why: `The audit device ${wanted.device} logs to another place, and what it logged may be evidence.`,
          fix: `Give that place as --audit-file, or remove the device: vault audit disable ${wanted.device}`,
        };
      case 'policy':
        return undefined;
    }
  },
  whoMade(command: string): Left {
    return {
      why: 'Its name is like those of agov, which did not make it.',
      fix: `Ask who did, and remove it if nobody needs it: ${command}`,
    };
  },
  parent(name: string, id: string): Left {
    return {
      why: `The group ${name} is in it, so that its agents get what it gives.`,
      fix: `Take ${name} out of its member_group_ids: vault read identity/group/id/${id}`,
    };
  },
};

function kvLeft(mount: string, is: JsonObject, sameType: boolean): Left | undefined {
  if (!sameType) return taken(mount, is, 'a KV mount, or one that is not there yet, in secrets.vault.mount');
  if (is['version'] === '2') return undefined;
  return {
    why: 'The mount is KV version 1, and whoever reads it now asks by other paths than version 2 has.',
    fix: `Name another mount in secrets.vault.mount, or run: vault kv enable-versioning ${mount}/`,
  };
}

function taken(path: string, is: JsonObject, other: string): Left {
  return {
    why: `At ${path} is an engine of type ${String(is['type'])} already.`,
    fix: `Name ${other}.`,
  };
}

function keyLeft(key: string): Left {
  return {
    why: 'A key that could leave Vault cannot be made one that never could.',
    fix: `Name another key under ledger.key; heads that "${key}" signed verify with its public line still.`,
  };
}

function onlyDeletion(should: JsonObject, is: JsonObject): boolean {
  return Object.keys(should).every((member) => member === 'deletion_allowed' || should[member] === is[member]);
}

function groupLeft(name: string): Left {
  return {
    why: 'It is an external group, whose members another directory decides.',
    fix: `Remove or rename it, if nobody needs it: vault delete identity/group/name/${name}`,
  };
}
