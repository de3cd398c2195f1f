import type { ChangeGroup, Outcome, ReplayReport } from '../replay/report.ts';
import type { Exceeded } from '../replay/thresholds.ts';

const OPTIONS = {
  newDenies: '--max-new-denies',
  changed: '--max-changes',
  notReplayable: '--max-not-replayable',
  damaged: '--max-damaged',
} as const;

/** The report as one JSON object. */
export function jsonOfReplay(report: ReplayReport, exceeded: readonly Exceeded[]) {
  return {
    policy_revision: report.revision,
    policy_revision_is_hash: report.revisionIsHash,
    log_revisions: report.revisions,
    lines: report.lines,
    records: report.records,
    replayed: report.replayed,
    same: report.same,
    changed: report.changed,
    new_denies: report.newDenies,
    new_step_ups: report.newStepUps,
    new_allows: report.newAllows,
    not_enforced: report.notEnforced,
    other_reasons: report.otherReasons,
    changes: report.changes.map(({ clientsTotal, ...group }) => ({ ...group, clients_total: clientsTotal })),
    changes_ungrouped: report.changesUngrouped,
    reasons_added: report.reasonsAdded,
    reasons_removed: report.reasonsRemoved,
    not_replayable: report.notReplayable,
    not_replayable_groups: report.gaps,
    not_reevaluated: report.notReevaluated,
    damaged_lines: report.damaged,
    damaged: report.damagedLines,
    broken_logs: report.brokenLogs,
    other_lines: report.otherLines,
    other_policies: report.otherPolicies,
    exceeded: exceeded.map(({ name, limit, records }) => ({ option: OPTIONS[name], limit, records })),
  };
}

/** The report for people: what changes first, then what could not be said. */
export function textOfReplay(report: ReplayReport, exceeded: readonly Exceeded[]): string {
  const { replayed, records } = report;
  const logged = Object.keys(report.revisions);
  const lines = [
    `policy          ${report.revision}, records of ${logged.length === 0 ? 'none' : some(logged)}`,
    `records         ${records}, replayed ${share(replayed, records)}`,
    `same            ${share(report.same, replayed)}`,
    `changed         ${share(report.changed, replayed)}`,
    `  new denies    ${share(report.newDenies, replayed)}`,
    `  new step_ups  ${share(report.newStepUps, replayed)}`,
    `  new allows    ${share(report.newAllows, replayed)}`,
    ...(report.notEnforced > 0 ? [`  not enforced  ${share(report.notEnforced, replayed)}`] : []),
    `  other reasons ${share(report.otherReasons, replayed)}`,
    `not replayable  ${share(report.notReplayable, records)}`,
    `damaged lines   ${report.damaged}`,
    ...(report.otherLines > 0 ? [`other lines     ${report.otherLines}`] : []),
    ...(report.otherPolicies > 0 ? [`other policies  ${report.otherPolicies}`] : []),
    ...report.changes.flatMap(changeLines),
    ...(report.changesUngrouped > 0 ? ['', `${report.changesUngrouped} further changes are in no group`] : []),
    ...section(
      'not replayable',
      report.gaps.map(({ why, path, records: of, examples }) => `${of} ${why}${path === '' ? '' : ` ${path}`}${ids(examples)}`),
    ),
    ...section(
      'not re-evaluated (the records do not hold what the new data would have matched or counted)',
      Object.entries(report.notReevaluated).map(([name, of]) => `${of} ${name}`),
    ),
    ...section(
      'damaged',
      report.damagedLines.map(({ file, line, problem }) => `${file}:${line} ${problem}`),
    ),
    ...(namesUnproven(report)
      ? ['', 'records name the same revision: its name was chosen and is no proof that the policy is the same']
      : []),
    ...section(
      'over the threshold',
      exceeded.map(({ name, limit, records: found }) => `${OPTIONS[name]} ${limit}: ${found} records`),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function namesUnproven({ revision, revisionIsHash, revisions }: ReplayReport): boolean {
  return !revisionIsHash && Object.hasOwn(revisions, revision);
}

function changeLines({ from, to, records, clients, clientsTotal, examples }: ChangeGroup): string[] {
  const named = clients.map(({ client, records: of }) => `${client ?? '(no client)'} ${of}`);
  const more = clientsTotal > clients.length ? `, ${clientsTotal - clients.length} more` : '';
  return [
    '',
    `${records} records: ${outcome(from)} -> ${outcome(to)}`,
    `  clients   ${named.join(', ')}${more}`,
    ...(examples.length === 0 ? [] : [`  examples  ${examples.join(' ')}`]),
  ];
}

function outcome({ effect, reason, status, enforced }: Outcome): string {
  return `${effect}${status === null ? '' : ` ${status}`} ${reason}${enforced === false ? ' (not enforced)' : ''}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function ids(examples: readonly string[]): string {
  return examples.length === 0 ? '' : ` (${examples.join(' ')})`;
}

function share(part: number, whole: number): string {
  return whole === 0 ? String(part) : `${part} (${Number(((100 * part) / whole).toFixed(2))}%)`;
}

const NAMES_SHOWN = 3;

function some(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return names.length > NAMES_SHOWN ? `${shown} and ${names.length - NAMES_SHOWN} more` : shown;
}
