import { AUTHORITY, type FileInfo, formatRfc3339Ns } from '@dendro/protocol';
import { deviceText, FIELD_TITLES, modeText } from '../../layout/field-text.ts';
import { LongText } from '../common/long-text.tsx';
import { Row, Tag, type TaskProps, Unknown, ValueOrigin, whyUnknown } from './field.tsx';

interface FileProps extends TaskProps {
  readonly field: 'executable' | 'interpreter';
  readonly isOptional?: boolean;
  /** Everything that is known of the file, not what it is known by alone. */
  readonly isWhole?: boolean;
}

/** A file that was executed, as it was then. */
export function FileValue({ field, isOptional = false, isWhole = false, ...props }: FileProps) {
  const { tree, task, at } = props;
  const file = tree.valueAt(task, field, at) as FileInfo | undefined;
  const name = FIELD_TITLES[field];
  if (file === undefined) {
    if (isOptional) return null;
    return (
      <Row name={name}>
        <Unknown>{whyUnknown(props)}</Unknown>
      </Row>
    );
  }
  const { path, inode, device, mode, ctime, hash, links } = file;
  // The kernel's event has the path as the caller wrote it: perhaps relative, perhaps a script.
  const isAsPassed = tree.authorityAt(task, field, at) === AUTHORITY.inferred;
  return (
    <>
      <Row name={name} copy={path}>
        <span className="path">
          <LongText text={path} />
        </span>
        {!isWhole && inode !== undefined && (
          <small>
            inode {inode}
            {device !== undefined && `, device ${deviceText(device)}`}
          </small>
        )}
        {links === 0 && <Tag>deleted, or in memory only</Tag>}
        {isAsPassed ? <Tag>as passed to exec</Tag> : <ValueOrigin {...props} field={field} />}
      </Row>
      {isWhole && (
        <>
          <Part name="Device" text={device === undefined ? undefined : deviceText(device)} />
          <Part name="Inode" text={inode} />
          <Part name="Mode" text={mode === undefined ? undefined : modeText(mode)} />
          <Part name="Changed" text={timeText(ctime)} />
        </>
      )}
      {(isWhole || hash !== undefined) && (
        <Part name="SHA-256" text={hash} why="not known: --hash hashes binaries, and some feeds tell it" />
      )}
    </>
  );
}

/** Epoch nanoseconds as UTC; what is no number stays as it was said. */
function timeText(ctime: string | undefined): string | undefined {
  return ctime !== undefined && /^\d{1,19}$/.test(ctime) ? formatRfc3339Ns(BigInt(ctime)) : ctime;
}

interface PartProps {
  readonly name: string;
  readonly text: string | undefined;
  readonly why?: string;
}

function Part({ name, text, why = 'not known' }: PartProps) {
  return (
    <Row name={name} copy={text}>
      {text === undefined ? (
        <Unknown>{why}</Unknown>
      ) : (
        <span className="path">
          <LongText text={text} />
        </span>
      )}
    </Row>
  );
}
