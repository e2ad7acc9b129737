// Moments as people read them, in the reader's own time zone.

const pad = (value: number) => String(value).padStart(2, "0");

export function clock(epoch: number): string {
  const date = new Date(epoch * 1000);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export function day(epoch: number): string {
  const date = new Date(epoch * 1000);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

export function moment(epoch: number): string {
  return `${day(epoch)} ${clock(epoch)}`;
}

/** A range: the day is told once where both ends lie on it. */
export function span(from: number, until: number): string {
  return day(from) === day(until) ? `${moment(from)} – ${clock(until)}` : `${moment(from)} – ${moment(until)}`;
}

/** Seconds since the epoch, now. */
export function now(): number {
  return Date.now() / 1000;
}
