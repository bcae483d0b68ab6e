/** The most useful of a checkpoint, and of what stands now, within so many tokens. */
import type { Tokenizer } from '../../tokens/index.ts';
import type { About } from '../format/parts.ts';
import { type Packed, pack } from './pack.ts';
import { piecesOf, sections, type Told } from './pieces.ts';

export interface Brief extends Packed {
  readonly about?: About;
  readonly budget: number;
  readonly encoding: string;
}

export function briefOf(told: Told, budget: number, tokenizer: Tokenizer): Brief {
  const { about } = told;
  const name = about?.id.slice(-12) ?? 'latest';
  const whole = about ? `agov checkpoint show ${name}` : 'agov checkpoint now, then agov checkpoint show';
  const see: Record<string, string> = {
    changes: 'git diff HEAD',
    'memory entries': 'agov memory list --limit 20, agov memory fetch ID -s',
    directories: 'agov checkpoint report',
    approvals: 'agov approvals',
    runs: 'agov pipeline list',
    failures: 'agov ledger tail',
    agents: 'agov agent list',
    ...(told.live ? { files: 'git status --short' } : { files: whole, changes: `${whole} --diff` }),
    ...{ notes: whole, 'next steps': whole, environment: whole, task: whole, head: whole },
  };
  const packed = pack(piecesOf(told), sections, see, budget, tokenizer);
  return { ...packed, budget, encoding: tokenizer.encoding, ...(about ? { about } : {}) };
}
