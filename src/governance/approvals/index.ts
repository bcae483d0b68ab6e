export {
  type ApprovalSubject,
  type Approvals,
  type ConsentBy,
  ledgerApprovals,
  type PendingApproval,
  subjectHash,
} from './approvals.ts';
export { type EndedBy, endApprovals } from './ended.ts';
