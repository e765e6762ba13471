// What goes on below a row that is folded, in a few words.

import { Zap } from 'lucide-react';
import { count, plural } from '../../layout/format.ts';
import type { Rollup } from '../../layout/rollups.ts';

export function RollupMarks({ living, born, ended, failed, killed }: Rollup) {
  return (
    <>
      {living > 0 && (
        <span className="below" title={`${plural(living, 'process', 'processes')} below`}>{`+${count(living)}`}</span>
      )}
      {born > 0 && (
        <span className="rollup is-born" title={`${count(born)} began below in the last minute`}>
          {count(born)} new
        </span>
      )}
      {ended > 0 && (
        <span className="rollup" title={`${count(ended)} ended below in the last minute`}>
          {count(ended)} ended
        </span>
      )}
      <Failures failed={failed} killed={killed} />
    </>
  );
}

/** The worst that happened, with how often anything bad did. */
function Failures({ failed, killed }: Pick<Rollup, 'failed' | 'killed'>) {
  if (failed + killed === 0) return null;
  const words = [
    killed > 0 && `${count(killed)} ended by a signal`,
    failed > 0 && `${count(failed)} ended with a code other than 0`,
  ];
  return (
    <span className="rollup is-failed" title={`Below, in the last minute: ${words.filter(Boolean).join(', ')}`}>
      {killed > 0 && <Zap size={11} aria-hidden="true" />}
      {count(failed + killed)} {killed > 0 ? 'killed or failed' : 'failed'}
    </span>
  );
}
