// The edge of the panel: dragged, or moved by arrows. A double click or Enter
// gives the usual size back.

import type { KeyboardEvent, PointerEvent } from 'react';
import type { PanelSide, usePanelSize } from '../../state/panel-size.ts';

const STEP_PX = 16;

interface ResizerProps {
  readonly side: PanelSide;
  readonly panel: ReturnType<typeof usePanelSize>;
}

export function Resizer({ side, panel: { size, least, most, resize, reset } }: ResizerProps) {
  const isRight = side === 'right';
  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const panel = event.currentTarget.parentElement?.getBoundingClientRect();
    if (panel !== undefined) resize(isRight ? panel.right - event.clientX : panel.bottom - event.clientY);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [more, less] = isRight ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown'];
    if (event.key === more) resize(size + STEP_PX);
    else if (event.key === less) resize(size - STEP_PX);
    else if (event.key === 'Home') resize(least);
    else if (event.key === 'End') resize(most);
    else if (event.key === 'Enter') reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className={`resizer is-${side}`}
      role="separator"
      aria-label="Size of the panel"
      aria-orientation={isRight ? 'vertical' : 'horizontal'}
      aria-valuenow={size}
      aria-valuemin={least}
      aria-valuemax={most}
      aria-valuetext={`${size} pixels`}
      tabIndex={0}
      title="Drag to resize; double click for the usual size"
      onPointerDown={(event) => {
        if (event.button === 0) event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onPointerMove}
      onDoubleClick={reset}
      onKeyDown={onKeyDown}
    />
  );
}
