// The headline figures: which series they are made of, and how they are told.

import type { Names } from "../../lib/names";
import { bytes, milliseconds, percent, short } from "../../lib/numbers";

export interface Figure {
  title: string;
  /** Its values are the sum of these series. */
  paths: readonly string[];
  /** What a value is multiplied with before it is shown. */
  scale: number;
  unit: string;
  format: (value: number | null) => string;
  colour: string;
  binary?: boolean;
  help: string;
}

/** The figures; `losses` are the reasons that the server knows, as `stage.reason`. */
export function figures(names: Names, losses: readonly string[]): Figure[] {
  const plain = { scale: 1, unit: "", format: short };
  const rate = { ...plain, unit: "/s" };
  return [
    {
      ...rate,
      title: "Lines",
      paths: [names.counter("lines")],
      colour: "--series-1",
      help: "lines received, bad ones too",
    },
    {
      ...rate,
      title: "Packets",
      paths: [names.counter("packets")],
      colour: "--series-1",
      help: "datagrams and reads from streams",
    },
    {
      ...plain,
      title: "Series",
      paths: [names.gauge("series")],
      colour: "--series-2",
      help: "series of clients in a flush",
    },
    {
      ...rate,
      title: "Losses",
      paths: losses.map((loss) => names.counter(`lost.${loss}`)),
      colour: "--series-bad",
      help: "records dropped at any stage, for any reason",
    },
    {
      ...plain,
      title: "Flush",
      paths: [names.gauge("flush.duration")],
      format: milliseconds,
      colour: "--series-3",
      help: "time that aggregating a window took",
    },
    {
      ...plain,
      title: "Traffic",
      paths: [names.counter("bytes")],
      unit: "/s",
      format: bytes,
      binary: true,
      colour: "--series-1",
      help: "bytes of the lines received",
    },
    {
      ...plain,
      title: "CPU",
      paths: [names.counter("process.cpu")],
      scale: 0.1, // milliseconds a second are thousandths of a core
      format: percent,
      colour: "--series-4",
      help: "processor time of the server; 100 % is one core",
    },
    {
      ...plain,
      title: "Memory",
      paths: [names.gauge("process.memory")],
      format: bytes,
      binary: true,
      colour: "--series-4",
      help: "resident memory of the server",
    },
  ];
}
