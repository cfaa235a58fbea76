// Runs in each page before its own scripts: records sound, and remembers sockets. The page itself has nothing of it.

(() => {
  const recording = { blocks: [], startedAt: 0, rate: 0 };
  const sockets = [];
  Object.assign(window, { recording, sockets });

  async function record(node) {
    const { context } = node;
    await context.audioWorklet.addModule('/test/recorder-worklet.js');
    const recorder = new AudioWorkletNode(context, 'recorder', { numberOfOutputs: 0 });
    Object.assign(recording, { blocks: [], startedAt: 0, rate: context.sampleRate });
    recorder.port.onmessage = ({ data }) => {
      recording.startedAt ||= Date.now() - 100;
      recording.blocks.push(data);
    };
    connect.call(node, recorder);
  }

  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...more) {
    if (this instanceof MediaStreamAudioSourceNode || target instanceof AudioDestinationNode) {
      record(this);
    }
    return connect.call(this, target, ...more);
  };

  // The browser's noise suppression would remove steady tones.
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = () =>
    open({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });

  window.WebSocket = class extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      sockets.push({ socket: this, closes: [] });
    }

    close(...parameters) {
      sockets.find(({ socket }) => socket === this).closes.push(parameters);
      super.close(...parameters);
    }
  };
})();
