// Runs in each page before its own scripts: records sound, the states of the jitter buffer and the times of chunks, and remembers
// sockets. The page itself has nothing of it.

(() => {
  const recording = { blocks: [], startedAt: 0, rate: 0 };
  const sockets = [];
  // Figures of the jitter buffer, and by the numbers of chunks when they were sent and received.
  const flow = { buffers: [], sent: {}, received: {} };
  Object.assign(window, { recording, sockets, flow });

  async function record(node) {
    const { context } = node;
    await context.audioWorklet.addModule('/test/recorder-worklet.js');
    const recorder = new AudioWorkletNode(context, 'recorder', { numberOfOutputs: 0 });
    Object.assign(recording, { blocks: [], startedAt: 0, rate: context.sampleRate });
    recorder.port.onmessage = ({ data }) => {
      const { blocks } = recording;
      blocks.push(data);
      // Of the first blocks, the one that waited least for this thread tells when the recording began.
      const startedAt = Date.now() - 100 * blocks.length;
      if (blocks.length === 1 || (blocks.length <= 20 && startedAt < recording.startedAt)) {
        recording.startedAt = startedAt;
      }
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

  window.AudioWorkletNode = class extends AudioWorkletNode {
    constructor(context, name, options) {
      super(context, name, options);
      if (name === 'play-out') {
        this.port.addEventListener('message', ({ data }) => flow.buffers.push(data));
      }
    }
  };

  const remember = (times, data) => {
    const { chunkIndex } = JSON.parse(data);
    if (chunkIndex !== undefined) {
      times[chunkIndex] ??= Date.now();
    }
  };

  window.WebSocket = class extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      sockets.push({ socket: this, closes: [] });
      this.addEventListener('message', ({ data }) => remember(flow.received, data));
    }

    send(data) {
      remember(flow.sent, data);
      super.send(data);
    }

    close(...parameters) {
      sockets.find(({ socket }) => socket === this).closes.push(parameters);
      super.close(...parameters);
    }
  };
})();
