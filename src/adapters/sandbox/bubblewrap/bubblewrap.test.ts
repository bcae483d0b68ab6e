import { systemEnv } from '../../../kernel/index.ts';
import { describeSandbox } from '../contract.ts';
import { bubblewrapSandbox } from './index.ts';

describeSandbox('bubblewrapSandbox', () => bubblewrapSandbox({ env: systemEnv() }));
