using Microsoft.Extensions.AI;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// CLIP's or SigLIP's vision tower for whatever is built on Microsoft.Extensions.AI: a vector of length 1 for each image, close to those
/// of images like it and of texts that describe it. Can be used from many threads at once; dispose of it when it is no longer needed.
/// </summary>
public sealed class ClipImageEmbeddingGenerator : IEmbeddingGenerator<DataContent, Embedding<float>>
{
    private const int ImagesAtOnce = 16;

    private readonly ScoringNetwork _network;
    private readonly ImageProcessor _processor;
    private readonly EmbeddingGeneratorMetadata _metadata;

    /// <param name="checkpoint">A folder as Hugging Face or open_clip publishes CLIP or SigLIP, or a file with OpenAI's names.</param>
    /// <param name="device">"cpu", "cuda", "cuda:1" or "mps"; "auto" takes a CUDA device where there is one, and else the CPU.</param>
    /// <param name="weights">Which weights, where a training kept both those that it trained and their average.</param>
    /// <param name="quickGelu">What the MLPs compute with: see <see cref="ClipZeroShotOptions.QuickGelu"/>.</param>
    /// <exception cref="FileNotFoundException">The checkpoint is not there.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or no CLIP.</exception>
    public ClipImageEmbeddingGenerator(string checkpoint, string device = "auto", CheckpointWeights weights = CheckpointWeights.Trained, bool? quickGelu = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(checkpoint);
        var resolved = TorchRuntime.ResolveDevice(device);
        var published = new ClipModel(quickGelu).Open(checkpoint, weights);
        _processor = new(published.PreprocessingOr(null));
        _network = new(published.VisionTower(), resolved, Precision.Float32);
        _metadata = ClipEmbeddings.Metadata(published);
    }

    /// <summary>A vector for each image.</summary>
    /// <param name="values">The images, encoded: JPEG, PNG, WebP and so on.</param>
    /// <param name="options">Of these <c>Dimensions</c> alone is read: the vectors have one length.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    /// <exception cref="ArgumentException">Vectors of another length are asked for.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    /// <exception cref="ImageDecodeException">An image cannot be read; the error names its place in the sequence.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<DataContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        ClipEmbeddings.Check(options, _metadata);
        using var network = _network.Use(this);
        DataContent[] images = [.. values];
        return await Task.Run(() =>
        {
            using var scope = NewDisposeScope();
            using var inference = inference_mode();
            GeneratedEmbeddings<Embedding<float>> embeddings = [];
            foreach (var chunk in images.Index().Chunk(ImagesAtOnce))
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var inner = NewDisposeScope();
                var pixels = _processor.ProcessBatch(chunk.Length, (i, threads) => Resized(chunk[i].Item, chunk[i].Index, threads)).to(network.Device);
                embeddings.AddRange(ClipEmbeddings.Of(ClipNetwork.Normalize(network.As<ClipVisionNetwork>().forward(pixels))));
            }
            return embeddings;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => ClipEmbeddings.Service(this, _metadata, serviceType, serviceKey);

    /// <summary>Frees the network's native memory, as soon as calls that are being answered have ended.</summary>
    public void Dispose() => _network.Dispose();

    private RgbImage Resized(DataContent image, int index, int threads)
    {
        try
        {
            return ImageDecoder.Decode(image.Data.Span, image.Name ?? image.MediaType, decoded => _processor.ResizeAndCrop(decoded, threads), _processor.Settings.ConvertAfterResize);
        }
        catch (ImageDecodeException e)
        {
            throw e.AtRow(index);
        }
    }
}
