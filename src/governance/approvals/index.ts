export {
  type ApprovalSubject,
  type Approvals,
  type ApprovalTerms,
  type ConsentBy,
  ledgerApprovals,
  type RolesOf,
  subjectHash,
} from './approvals.ts';
export { type EndedBy, endApprovals } from './ended.ts';
export type { PendingApproval } from './record.ts';
