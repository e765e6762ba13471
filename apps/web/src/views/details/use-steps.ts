import { useState } from 'react';

/**
 * The first so many of a list, and as many more each time that somebody asks.
 * @param least so many in any case
 */
export function useSteps<T>(all: readonly T[], step: number, least = 0) {
  const [asked, setLimit] = useState(step);
  const limit = Math.max(asked, least);
  return {
    shown: all.length > limit ? all.slice(0, limit) : all,
    more: Math.max(0, all.length - limit),
    showMore: () => setLimit(limit + step),
  };
}
