using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Text;
using TorchSharp;

namespace Microsoft.ML.VisionModels;

/// <summary>A CLIP that was trained: adds vectors of length 1 for each image and its text. Save its checkpoint to classify or search with it.</summary>
public sealed class ClipTransformer : BatchTransformer
{
    private readonly ClipPairModel _model;
    private readonly ITextTokenizer _tokenizer;
    private readonly ImageProcessor _processor;
    private readonly ClipPairSettings _settings;
    private readonly torch.Device _device;

    /// <summary>The model becomes the transformer's.</summary>
    internal ClipTransformer(
        IHostEnvironment environment, ClipPairModel model, ITextTokenizer tokenizer, ImagePreprocessing preprocessing, ClipPairSettings settings,
        torch.Device device, TrainingHistory history)
        : base(environment, nameof(ClipTransformer))
    {
        (_model, _tokenizer, _processor, _settings, _device, History) = (model, tokenizer, new(preprocessing), settings, device, history);
        _model.ReadyToScore(_device, _settings.Precision);
    }

    // Found by its signature when a model is loaded.
    internal ClipTransformer(IHostEnvironment environment, ModelArchiveReader archive) : base(environment, nameof(ClipTransformer))
    {
        _settings = archive.ReadSettings<ClipPairSettings>();
        _processor = archive.ReadPreprocessing();
        _tokenizer = ITextTokenizer.Load(archive);
        _device = Devices.Resolve(Host);
        _model = NetworkModel.Load(archive, ClipPairModel.FromConfig, _device, _settings.Precision);
    }

    /// <summary>How training went; null for a model that was loaded.</summary>
    public TrainingHistory? History { get; }

    /// <summary>How images become the network's input.</summary>
    public ImagePreprocessing Preprocessing => _processor.Settings;

    /// <summary>The device that scores, such as "cpu" or "cuda:0".</summary>
    public string Device => _device.ToString();

    /// <summary>
    /// Writes a folder as Hugging Face publishes CLIP: config.json, model.safetensors with the official tensor names,
    /// preprocessor_config.json, and the tokenizer's files. <c>ClipZeroShot</c> and its siblings load it, and so do other libraries.
    /// </summary>
    /// <param name="folder">Made where it does not exist.</param>
    public void SaveCheckpoint(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ObjectDisposedException.ThrowIf(_model.IsDisposed, this);
        Directory.CreateDirectory(folder);
        var config = _model.Network.Config;
        CheckpointLoader.Save(_model.Network, ClipDialect.Published(config), Path.Combine(folder, "model.safetensors"));
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), config.ToHuggingFace(bfloat16: _settings.Precision == Precision.BFloat16).ToIndentedText());
        AtomicFile.WriteText(Path.Combine(folder, "preprocessor_config.json"), Preprocessing.ToHuggingFace());
        _tokenizer.SaveFolder(folder, config.Text.Positions);
    }

    internal ClipPairModel Model => _model;

    internal override IBatchScorer Bind(DataViewSchema inputSchema) => new ClipPairScorer(inputSchema, _model, _tokenizer, _processor, _settings, _device);

    internal override void Save(ModelArchiveWriter archive)
    {
        archive.WriteSettings(_settings);
        archive.WritePreprocessing(_processor);
        _tokenizer.Save(archive);
        _model.Save(archive);
    }

    private protected override void DisposeModel() => _model.Dispose();
}
