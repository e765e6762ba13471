import type { FoundLifeModel } from '../../layout/found-life.ts';
import type { Marks } from '../../query/asked.ts';
import { Marked } from '../tree/row-cells.tsx';

interface FoundRowProps extends FoundLifeModel {
  readonly pid: number;
  readonly marks: Marks | undefined;
  readonly onChoose: () => void;
}

export function FoundRow({
  name,
  pid,
  command,
  user,
  started,
  exactStart,
  lasted,
  end,
  hasFailed,
  from,
  marks,
  onChoose,
}: FoundRowProps) {
  return (
    <tr data-testid="found-row" onClick={onChoose}>
      <td data-label="Started" title={exactStart} className="is-time">
        {started}
      </td>
      <th scope="row" data-label="Process">
        <span className="found-name">
          <button type="button" className="row-open" title="Show it in the tree, as it was">
            <Marked text={name} patterns={marks?.name} />
          </button>{' '}
          <span className="host-state">{pid}</span>
        </span>
      </th>
      <td data-label="User">{user}</td>
      <td data-label="Command" className="found-command" title={command}>
        <Marked text={command} patterns={marks?.command} />
      </td>
      <td data-label="Lasted" className="is-number">
        {lasted ?? '–'}
      </td>
      <td data-label="End" className={hasFailed ? 'is-bad' : undefined}>
        {end}
      </td>
      <td data-label="Started by" className="found-from" title={from}>
        {from}
      </td>
    </tr>
  );
}
