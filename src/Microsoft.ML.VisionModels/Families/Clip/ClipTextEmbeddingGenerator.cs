using Microsoft.Extensions.AI;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Text;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// CLIP's text tower for whatever is built on Microsoft.Extensions.AI: a vector of length 1 for each text, close to those of images that
/// it describes. Can be used from many threads at once; dispose of it when it is no longer needed.
/// </summary>
public sealed class ClipTextEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly ScoringNetwork _network;
    private readonly ITextTokenizer _tokenizer;
    private readonly EmbeddingGeneratorMetadata _metadata;

    /// <param name="checkpoint">A folder as Hugging Face publishes CLIP or SigLIP, or open_clip CLIP, or a file with OpenAI's names.</param>
    /// <param name="tokenizer">The tokenizer's folder or file, where it does not lie beside the weights.</param>
    /// <param name="device">"cpu", "cuda", "cuda:1" or "mps"; "auto" takes a CUDA device where there is one, and else the CPU.</param>
    /// <param name="weights">Which weights, where a training kept both those that it trained and their average.</param>
    /// <param name="quickGelu">What the MLPs compute with: see <see cref="ClipZeroShotOptions.QuickGelu"/>.</param>
    /// <exception cref="FileNotFoundException">The checkpoint or its tokenizer is not there.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or no CLIP.</exception>
    public ClipTextEmbeddingGenerator(string checkpoint, string? tokenizer = null, string device = "auto", CheckpointWeights weights = CheckpointWeights.Trained, bool? quickGelu = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(checkpoint);
        var resolved = TorchRuntime.ResolveDevice(device);
        var published = new ClipModel(quickGelu).Open(checkpoint, weights);
        _tokenizer = published.OpenTokenizer(tokenizer);
        _network = new(published.TextTower(), resolved, Precision.Float32);
        _metadata = ClipEmbeddings.Metadata(published);
    }

    /// <summary>A vector for each text. What does not fit into the network's number of tokens is cut off.</summary>
    /// <param name="values">The texts.</param>
    /// <param name="options">Of these <c>Dimensions</c> alone is read: the vectors have one length.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <exception cref="ArgumentException">Vectors of another length are asked for.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        ClipEmbeddings.Check(options, _metadata);
        using var network = _network.Use(this);
        string[] texts = [.. values];
        return await Task.Run(() =>
        {
            using var scope = NewDisposeScope();
            using var inference = inference_mode();
            return texts.Length == 0 ? [] : ClipEmbeddings.Of(ClipTexts.Embed(network.As<ClipTextNetwork>(), _tokenizer, texts, network.Device, cancellationToken.ThrowIfCancellationRequested));
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => ClipEmbeddings.Service(this, _metadata, serviceType, serviceKey);

    /// <summary>Frees the network's native memory, as soon as calls that are being answered have ended.</summary>
    public void Dispose() => _network.Dispose();
}
