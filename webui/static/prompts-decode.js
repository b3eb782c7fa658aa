// A sound file that the box does not read and this browser may: as a WAV file, for the box.

// appliance/recording/prompts: what it reads is told by its beginning, and how much of it at most.
const READ = [[8, "WAVE"], [0, "FORM"], [0, ".snd"], [0, "fLaC"], [0, "OggS"], [0, "caff"], [0, "ID3"],
  ...["\xfb", "\xf3", "\xf2", "\xfa", "\xe3"].map(second => [0, `\xff${second}`])];
const MOST_OCTETS = 20 * 1024 * 1024;
const LONGEST_S = 600;

const RATE_HZ = 16000;                            // all that a telephone carries; ten minutes are below 20 MiB
const HEAD_OCTETS = 44;

async function isRead(file) {
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  return READ.some(([at, mark]) => head.startsWith(mark, at));
}

// One channel of 16 bits.
function wav(sound) {
  const samples = sound.length, channels = sound.numberOfChannels;
  const view = new DataView(new ArrayBuffer(HEAD_OCTETS + 2 * samples));
  const name = (at, letters) => Array.from(letters).forEach((one, place) => view.setUint8(at + place, one.charCodeAt(0)));
  name(0, "RIFF");
  view.setUint32(4, view.byteLength - 8, true);
  name(8, "WAVEfmt ");
  view.setUint32(16, 16, true);                   // of the format: PCM, one channel
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, 2 * RATE_HZ, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  name(36, "data");
  view.setUint32(40, 2 * samples, true);
  const parts = Array.from({length: channels}, (_, channel) => sound.getChannelData(channel));
  for (let at = 0; at < samples; at++) {
    let sum = 0;
    for (const one of parts) sum += one[at];
    view.setInt16(HEAD_OCTETS + 2 * at, Math.round(32767 * Math.min(Math.max(sum / channels, -1), 1)), true);
  }
  return new Blob([view.buffer], {type: "audio/wav"});
}

// The file itself when the box reads it, or when this browser does not either: then the box says what it is.
// `begins` is called before something is converted. Error with `long`: it is longer than the box takes.
export async function readable(file, begins, long) {
  if (file.size > MOST_OCTETS || await isRead(file)) return file;
  begins();
  let sound;
  try {
    sound = await new OfflineAudioContext(1, 1, RATE_HZ).decodeAudioData(await file.arrayBuffer());
  } catch {
    return file;
  }
  if (sound.duration > LONGEST_S) throw new Error(long);
  return wav(sound);
}
