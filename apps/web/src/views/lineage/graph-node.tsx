import { Box, CornerLeftUp, Ghost, ShieldAlert, Unlink, UserRound } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { count as formatCount } from '../../layout/format.ts';
import type { EndNode, LineageLayout, LineageNode } from '../../layout/lineage-layout.ts';
import {
  END_TEXT,
  groupSentence,
  type LineageNodeModel,
  lineageNodeModel,
  moreText,
  nodeSentence,
} from '../../layout/lineage-node.ts';
import type { RowContext } from '../../layout/row-model.ts';

interface Common {
  readonly nodeKey: string;
  readonly position: number;
  readonly x: number;
  readonly y: number;
  readonly level: number;
  readonly place: number;
  readonly siblings: number;
  readonly isCursor: boolean;
}

interface GraphNodeProps {
  readonly layout: LineageLayout;
  readonly position: number;
  readonly context: RowContext;
  readonly isCursor: boolean;
  readonly canShowMore: boolean;
  readonly onSelect: (position: number) => void;
  readonly onActivate: (position: number) => void;
}

export function nodeId(key: string): string {
  return `lineage-${key}`;
}

export function GraphNode({ layout, position, context, isCursor, canShowMore, onSelect, onActivate }: GraphNodeProps) {
  const node = layout.nodes[position] as LineageNode;
  const { key, x, y, level, place, siblings } = node;
  const common: Common = { nodeKey: key, position, x, y, level, place, siblings, isCursor };
  const onClick = (): void => {
    // As in the tree: the first click selects, another one on it looks closer.
    if (isCursor || node.kind === 'more' || node.kind === 'group') onActivate(position);
    else onSelect(position);
  };
  if (node.kind === 'more') {
    return <More {...common} count={node.count} canShowMore={canShowMore} onClick={onClick} />;
  }
  if (node.kind === 'end') return <End {...common} reason={node.reason} onClick={onClick} />;
  const parent = layout.nodes[node.parent];
  const model = lineageNodeModel(context, node, parent?.kind === 'task' ? parent.task : undefined);
  if (node.kind === 'group') return <Group {...common} model={model} count={node.count} onClick={onClick} />;
  return <Task {...common} {...model} isSubject={position === layout.subject} onClick={onClick} />;
}

interface TaskProps extends Common, LineageNodeModel {
  readonly isSubject: boolean;
  readonly onClick: () => void;
}

const Task = memo(function Task(props: TaskProps) {
  const { isAlive, isSubject, userChange, isRaised } = props;
  const title = [
    nodeSentence(props),
    props.command,
    `started ${props.started}`,
    props.asOf && `name and user as of ${props.asOf}, when it started the next one`,
  ];
  return (
    <Item
      {...props}
      className={[!isAlive && 'is-ended', isSubject && 'is-subject', props.stateTone === 'failed' && 'is-failed']}
      label={taskLabel(props)}
      title={title.filter(Boolean).join('\n')}
      data={{ 'data-pid': props.pid, 'data-alive': isAlive, 'data-task-id': props.id }}
    >
      <span className="node-line">
        <span className={props.isNameKnown ? 'node-name' : 'node-name is-unknown'}>{props.name}</span>{' '}
        <span className="node-pid">{props.pid}</span>
      </span>{' '}
      <span className="node-line node-below">
        <span className={isRaised ? 'node-user is-raised' : 'node-user'}>
          {isRaised ? (
            <ShieldAlert size={12} aria-hidden="true" />
          ) : (
            userChange && <UserRound size={12} aria-hidden="true" />
          )}
          {userChange ?? props.user}
        </span>{' '}
        {props.state === 'exited' && <span className={`state-${props.stateTone}`}>{props.stateText}</span>}
      </span>{' '}
      <Marks {...props} />
    </Item>
  );
}, isSameTask);

/** It is called by what is to be seen of it, in that order; what else is known of it comes after. */
function taskLabel(model: LineageNodeModel): string {
  const parts = [
    `${model.name} ${model.pid}`,
    model.userChange ?? model.user,
    model.state === 'exited' && model.stateText,
    model.container,
    model.movedTo && `now under ${model.movedTo}`,
    model.isPlaceholder && 'mentioned only',
    model.isEvicted && 'not in memory',
    model.sinceParent && `${model.sinceParent} after its parent`,
  ];
  return parts.filter(Boolean).join(', ');
}

/** `onClick` is a new function each time, and does the same as long as the rest is the same. */
function isSameTask(a: TaskProps, b: TaskProps): boolean {
  for (const name of Object.keys(b) as (keyof TaskProps)[]) {
    if (name !== 'onClick' && a[name] !== b[name]) return false;
  }
  return true;
}

/** What sets it apart from its parent, on the border of the box. */
function Marks({ container, movedTo, isPlaceholder, isEvicted }: LineageNodeModel) {
  if (!container && !movedTo && !isPlaceholder && !isEvicted) return null;
  return (
    <span className="node-marks">
      {container && (
        <Mark icon={<Box size={11} aria-hidden="true" />} className="is-container">
          {container}
        </Mark>
      )}
      {movedTo && <Mark icon={<CornerLeftUp size={11} aria-hidden="true" />}>now under {movedTo}</Mark>}
      {isPlaceholder && <Mark icon={<Ghost size={11} aria-hidden="true" />}>mentioned only</Mark>}
      {isEvicted && <Mark icon={<Unlink size={11} aria-hidden="true" />}>not in memory</Mark>}
    </span>
  );
}

function Mark({ icon, className = '', children }: { icon: ReactNode; className?: string; children: ReactNode }) {
  return (
    <span className={`node-mark ${className}`}>
      {icon}
      <span className="node-mark-text">{children}</span>
    </span>
  );
}

interface GroupProps extends Common {
  readonly model: LineageNodeModel;
  readonly count: number;
  readonly onClick: () => void;
}

function Group({ model, count, ...props }: GroupProps) {
  const sentence = groupSentence(model, count);
  return (
    <Item
      {...props}
      className={['is-ended', 'is-group']}
      label={`${model.name} ×${formatCount(count)}, ${model.user}, ${model.stateText}: ${sentence}. Show each (Enter)`}
      title={`${sentence}\nShow each (Enter)`}
      data={{ 'data-count': count }}
    >
      <span className="node-line">
        <span className={model.isNameKnown ? 'node-name' : 'node-name is-unknown'}>{model.name}</span>{' '}
        <span className="node-count">×{formatCount(count)}</span>
      </span>{' '}
      <span className="node-line node-below">
        <span>{model.user}</span> <span className={`state-${model.stateTone}`}>{model.stateText}</span>
      </span>
    </Item>
  );
}

interface MoreProps extends Common {
  readonly count: number;
  readonly canShowMore: boolean;
  readonly onClick: () => void;
}

function More({ count, canShowMore, ...props }: MoreProps) {
  const hint = canShowMore ? 'Show more of them (Enter)' : 'Open the lineage of their parent to see more of them';
  return (
    <Item {...props} className={['is-more']} label={`${moreText(count)}, not shown. ${hint}`} title={hint}>
      <span className="node-line node-name">{moreText(count)}</span>{' '}
      <span className="node-line node-below">{canShowMore ? 'not shown: show more' : 'not shown'}</span>
    </Item>
  );
}

interface EndProps extends Common {
  readonly reason: EndNode['reason'];
  readonly onClick: () => void;
}

function End({ reason, ...props }: EndProps) {
  const { short, long } = END_TEXT[reason];
  return (
    <Item
      {...props}
      className={['is-end']}
      label={`${short}: the lineage goes no further up. ${long}`}
      title={long}
      data={{ 'data-reason': reason }}
    >
      <span className="node-line node-name">
        <Unlink size={13} aria-hidden="true" /> {short}
      </span>{' '}
      <span className="node-line node-below">the lineage goes no further up</span>
    </Item>
  );
}

interface ItemProps extends Common {
  readonly className: readonly (string | false | undefined)[];
  readonly label: string;
  readonly title: string;
  readonly data?: Readonly<Record<`data-${string}`, string | number | boolean>>;
  readonly onClick: () => void;
  readonly children: ReactNode;
}

function Item({
  nodeKey,
  x,
  y,
  level,
  place,
  siblings,
  isCursor,
  className,
  label,
  title,
  data,
  onClick,
  children,
}: ItemProps) {
  const classes = ['graph-node', isCursor && 'is-cursor', ...className];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the graph handles the keys for all nodes
    <div
      id={nodeId(nodeKey)}
      className={classes.filter(Boolean).join(' ')}
      role="treeitem"
      aria-level={level}
      aria-posinset={place}
      aria-setsize={siblings}
      aria-selected={isCursor}
      aria-label={label}
      title={title}
      data-testid="lineage-node"
      {...data}
      style={{ transform: `translate(${x}px, ${y}px)` }}
      onClick={onClick}
    >
      {children}
    </div>
  );
}
