using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// The Segment Anything Model for interactive use, outside a pipeline: look at an image once, then ask about it many times. Can be used
/// from many threads at once; dispose of it when it is no longer needed.
/// </summary>
/// <example>
/// <code>
/// using var session = new SamSession("mobile_sam.pt");
/// var image = session.SetImage("truck.jpg");
/// var mask = session.Predict(image, SamPrompt.AtPoint(500, 375));
/// mask = session.Predict(image, new SamPrompt { Points = [new(500, 375), new(1125, 625)], Logits = mask.Logits });
/// </code>
/// </example>
public sealed class SamSession : IDisposable
{
    private readonly ScoringNetwork _network;
    private readonly ImageProcessor _processor;
    private readonly long _cacheBytes;
    private readonly Lock _lock = new();
    private readonly LinkedList<(string Key, SamImage Image)> _recent = [];     // the latest first

    /// <param name="checkpoint">SAM: a Hugging Face folder, Meta's .pth, or MobileSAM's .pt; a .safetensors with the same tensors will do.</param>
    /// <param name="device">"cpu", "cuda", "cuda:1" or "mps"; "auto" takes a CUDA device where there is one, and else the CPU.</param>
    /// <param name="precision">The numbers to compute with.</param>
    /// <param name="cacheMegabytes">How much memory images that come from files may take to be remembered, 4 MB each; 0 remembers none.</param>
    /// <param name="weights">Which weights, where a training kept both those that it trained and their average.</param>
    /// <exception cref="FileNotFoundException">The checkpoint is not there.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or no SAM.</exception>
    public SamSession(string checkpoint, string device = "auto", Precision precision = Precision.Float32, int cacheMegabytes = 256, CheckpointWeights weights = CheckpointWeights.Trained)
    {
        ArgumentException.ThrowIfNullOrEmpty(checkpoint);
        ArgumentOutOfRangeException.ThrowIfNegative(cacheMegabytes);
        _cacheBytes = cacheMegabytes * (1L << 20);
        var resolved = TorchRuntime.ResolveDevice(device);
        (_network, _processor) = SamPredictor.Open(checkpoint, precision, resolved, weights);
    }

    /// <summary>The device that computes, such as "cpu" or "cuda:0".</summary>
    public string Device => _network.Device.ToString();

    /// <summary>Looks at an image in a file; at one that was looked at lately, and has not changed since, only once.</summary>
    /// <exception cref="ImageDecodeException">The file cannot be read as an image.</exception>
    public SamImage SetImage(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var network = _network.Use(this);
        var file = new FileInfo(path);
        var key = file.Exists ? $"{file.FullName}|{file.LastWriteTimeUtc.Ticks}|{file.Length}" : path;
        if (Recall(key) is { } known)
            return known;
        var image = Predictor(network).Encode(ImageDecoder.Decode(path));
        Remember(key, image);
        return image;
    }

    /// <summary>Looks at an image.</summary>
    public SamImage SetImage(MLImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var network = _network.Use(this);
        return Predictor(network).Encode(ImageDecoder.FromMLImage(image));
    }

    /// <summary>The best mask for a prompt.</summary>
    /// <exception cref="ArgumentException">The prompt is empty, or means nothing in this image.</exception>
    public SamMask Predict(SamImage image, SamPrompt prompt) => Predict(image, prompt, SamMaskChoice.Best)[0];

    /// <summary>The masks for a prompt: one or three.</summary>
    /// <exception cref="ArgumentException">The prompt is empty, or means nothing in this image.</exception>
    public IReadOnlyList<SamMask> Predict(SamImage image, SamPrompt prompt, SamMaskChoice choice)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return Predict(image, [prompt], choice)[0];
    }

    /// <summary>The masks for each of many prompts, which are answered together.</summary>
    /// <exception cref="ArgumentException">A prompt is empty, or means nothing in this image.</exception>
    public IReadOnlyList<IReadOnlyList<SamMask>> Predict(SamImage image, IReadOnlyList<SamPrompt> prompts, SamMaskChoice choice)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(prompts);
        using var network = _network.Use(this);
        return Predictor(network).Predict(image, prompts, choice);
    }

    /// <summary>
    /// Frees the network's native memory, as soon as calls that are being answered have ended; later ones throw
    /// <see cref="ObjectDisposedException"/>. Images that were looked at need nothing.
    /// </summary>
    public void Dispose() => _network.Dispose();

    private SamPredictor Predictor(NetworkUse network) => new(network, _processor);

    private SamImage? Recall(string key)
    {
        lock (_lock)
        {
            for (var node = _recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Key != key)
                    continue;
                _recent.Remove(node);
                _recent.AddFirst(node);
                return node.Value.Image;
            }
            return null;
        }
    }

    private void Remember(string key, SamImage image)
    {
        lock (_lock)
        {
            _recent.AddFirst((key, image));
            while (_recent.Sum(entry => entry.Image.Bytes) > _cacheBytes)
                _recent.RemoveLast();
        }
    }
}
