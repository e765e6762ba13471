import { Check, X } from 'lucide-react';
import { say, useNotice } from '../state/notice.ts';
import { IconButton } from './common/icon-button.tsx';

/** What the page has to say, politely: the region is there before there is anything in it, or it would not be read out. */
export function NoticeToast() {
  const notice = useNotice((state) => state.notice);
  return (
    <div className={notice === undefined ? undefined : 'toast'} data-testid="notice">
      <span className="toast-text" role="status">
        {notice?.text}
      </span>
      {notice?.tone === 'working' && <progress value={notice.part} aria-label={notice.text} />}
      {notice?.tone === 'done' && <Check className="toast-mark" size={16} aria-hidden="true" />}
      {notice !== undefined && notice.tone !== 'done' && (
        <IconButton
          label={notice.tone === 'working' ? 'Stop' : 'Close'}
          onClick={() => {
            notice.onCancel?.();
            say(undefined);
          }}
        >
          <X size={16} aria-hidden="true" />
        </IconButton>
      )}
    </div>
  );
}
