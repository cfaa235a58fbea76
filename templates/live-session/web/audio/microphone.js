// The microphone.

/** Error of the microphone, with a sentence for the page. */
export class MicrophoneError extends Error {}

/**
 * A running microphone.
 *
 * @typedef {object} Microphone
 * @property {number} rate Sample rate.
 * @property {() => Promise<void>} stop
 */

/**
 * Starts the microphone.
 *
 * @param {(samples: Float32Array) => void} record Receives blocks of 20 ms.
 * @param {() => void} lost Is called if the microphone ends by itself.
 * @returns {Promise<Microphone>}
 */
export async function startMicrophone(record, lost) {
  const stream = await openStream();
  const context = new AudioContext();
  try {
    await context.audioWorklet.addModule(new URL('./capture-worklet.js', import.meta.url));
    await context.resume();
  } catch (error) {
    stopStream(stream);
    await context.close();
    throw new MicrophoneError(`The microphone cannot be recorded: ${error}`);
  }
  const node = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 });
  node.port.onmessage = ({ data }) => record(data);
  context.createMediaStreamSource(stream).connect(node);
  for (const track of stream.getAudioTracks()) {
    track.addEventListener('ended', lost);
  }
  return {
    rate: context.sampleRate,
    stop() {
      node.port.onmessage = null;
      stopStream(stream);
      return context.close();
    },
  };
}

async function openStream() {
  if (!navigator.mediaDevices) {
    throw new MicrophoneError('Browsers give the microphone only to pages with HTTPS, or on localhost.');
  }
  try {
    const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'NotAllowedError') {
      throw new MicrophoneError('This page may not use the microphone. Allow it in the browser, and start again.');
    }
    if (name === 'NotFoundError') {
      throw new MicrophoneError('There is no microphone. Connect one, and start again.');
    }
    throw new MicrophoneError(`The microphone cannot be opened: ${error}`);
  }
}

/** @param {MediaStream} stream */
function stopStream(stream) {
  for (const track of stream.getTracks()) {
    track.stop();
  }
}
