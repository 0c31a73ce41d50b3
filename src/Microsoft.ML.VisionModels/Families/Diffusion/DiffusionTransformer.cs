using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>A diffusion model in a pipeline: adds an image for each row's words, class or image. Each image's <see cref="MLImage.Tag"/> says how it was made, as JSON.</summary>
public sealed class DiffusionTransformer : BatchTransformer
{
    // Letters stay as they are.
    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal DiffusionTransformer(IHostEnvironment environment, FittedModel model) : base(environment, model)
    {
    }

    /// <summary>Writes the LoRA that was trained (<see cref="DiffusionTrainerOptions.LoraRank"/>) alone: a small file that others, and <see cref="DiffusionGeneratorOptions.Loras"/>, merge into the model that it was trained on.</summary>
    /// <param name="path">A <c>.safetensors</c> file, with PEFT's names as diffusers reads them.</param>
    /// <exception cref="InvalidOperationException">No LoRA was trained.</exception>
    public void SaveLora(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var use = Model.Use();
        var network = use.As<DiffusionNetwork>();
        if (network.Config.Lora is null)
            throw new InvalidOperationException($"The model has no LoRA of its own: it was not trained with {nameof(DiffusionTrainerOptions.LoraRank)}.");
        TrainedLora.Save(network.UNet, path);
    }

    internal override IBatchScorer Bind(DataViewSchema inputSchema, NetworkUse network, CancellationToken cancellation)
    {
        Sampler(network).Validate();
        return new Scorer(inputSchema, this, network.As<DiffusionNetwork>().Config, cancellation);
    }

    private DiffusionSampler Sampler(NetworkUse network, PromptCache? prompts = null) =>
        new(network.As<DiffusionNetwork>(), network.As<DiffusionNetwork>().Config.Tokenizer(Model.Tokenizer), ((IDiffusionColumns)Model.Options).Sampling, network.Device, network.Type, prompts);

    /// <summary>A row as it stands in its columns.</summary>
    private sealed record Item(long Row, string Prompt, string NegativePrompt, string? Class, long Seed, ImageItem? Image, ImageItem? Mask);

    /// <summary>The images of a row.</summary>
    private sealed record Generated(RgbImage[] Images, string[] Parameters);

    private sealed class Scorer : BatchScorer<Item, Generated?>
    {
        private readonly DiffusionTransformer _model;
        private readonly IDiffusionColumns _columns;
        private readonly DataViewSchema.Column? _prompt, _negativePrompt, _seed;
        private readonly LabelColumn? _class;
        private readonly ImageColumn? _image, _mask;
        private readonly int _imageColumns;
        private readonly PromptCache _prompts = new();

        public Scorer(DataViewSchema schema, DiffusionTransformer model, DiffusionConfig config, CancellationToken cancellation) : base(schema, model.Model, cancellation)
        {
            (_model, _columns) = (model, (IDiffusionColumns)model.Model.Options);
            // A column that the model has no use for is not read.
            (_prompt, _negativePrompt) = config.Text is null ? (null, null) : (Column(_columns.PromptColumnName, TextColumn.Input), Column(_columns.NegativePromptColumnName, TextColumn.Input));
            _class = config.UNet.Classes is not null && _columns.ClassColumnName is { } label ? LabelColumn.Bind(schema, label, model.Model.Labels is null ? 0 : 1) : null;
            _seed = Column(_columns.SeedColumnName, SeedColumn.Input);
            (_image, _mask) = (Bound(_columns.InitialImageColumnName), Bound(_columns.MaskColumnName));
            string[] images = [.. _columns.Names(_columns.GeneratedImageColumnName)];
            _imageColumns = images.Length;
            Outputs =
            [
                .. images.Select((name, i) => ResultColumns.Image<Generated>(name, result => Made(result, i))),
                .. _columns.Names(_columns.ParametersColumnName).Select((name, i) => ResultColumns.Text<Generated>(name, result => result.Parameters[i])),
            ];

            DataViewSchema.Column? Column(string? name, Func<string, InputColumn> kind) => name is null ? null : kind(name).Find(schema);

            ImageColumn? Bound(string? name) => name is null ? null : ImageColumn.Bind(schema, name);
        }

        public override IReadOnlyList<DataViewSchema.Column> Inputs =>
            [.. new[] { _prompt, _negativePrompt, _seed, _class?.Column, _image?.Column, _mask?.Column }.OfType<DataViewSchema.Column>().DistinctBy(column => column.Index)];

        public override IReadOnlyList<OutputColumn<Generated?>> Outputs { get; }

        public override int BatchSize => Model.Options.ScoringBatchSize;

        public override Func<Item> MakeReader(DataViewRow row)
        {
            var (prompt, negativePrompt) = (Text(_prompt), Text(_negativePrompt));
            var seed = _seed is { } column ? SeedColumn.MakeReader(row, column) : () => _columns.Sampling.Seed;
            var (label, image, mask) = (_class?.MakeReader(row), _image?.MakeReader(row), _mask?.MakeReader(row));
            return () => new(row.Position, prompt(), negativePrompt(), label?.Invoke(), seed(), image?.Invoke(), mask?.Invoke());

            Func<string> Text(DataViewSchema.Column? column) => column is { } present ? TextColumn.MakeReader(row, present) : () => "";
        }

        public override long ImageBytes(Item item) => (item.Image?.Bytes ?? 0) + (item.Mask?.Bytes ?? 0);

        private protected override IReadOnlyList<Generated?> ScoreBatch(NetworkUse network, IReadOnlyList<Item> items, IReadOnlyList<bool> wanted)
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            var sampler = _model.Sampler(network, _prompts);
            var count = _columns.Sampling.ImagesPerRow;
            DiffusionRequest[] requests = [.. items.SelectMany(item => Requests(item, sampler.Size, count))];
            // Images are what takes long: not for those who only ask how they would be made. Rows with several make as many at once as other rows.
            RgbImage[] images = wanted.Take(_imageColumns).Contains(true) ? [.. requests.Chunk(BatchSize).SelectMany(some => Generate(sampler, some, items[0].Row))] : [];
            var parameters = requests.Select(request => Parameters(sampler, request)).ToArray();
            return [.. items.Select((_, i) => new Generated([.. images.Skip(i * count).Take(count)], parameters[(i * count)..((i + 1) * count)]))];
        }

        private RgbImage[] Generate(DiffusionSampler sampler, DiffusionRequest[] requests, long firstRow)
        {
            using var noise = new SeededNoise(requests.Select(request => request.Seed));
            return GeneratedImages.Of(sampler.Generate(requests, noise, _columns.Sampling.Progress is null ? null : Report, Cancellation));

            void Report(int step, int steps, Func<Tensor> now)
            {
                var shows = _columns.Sampling.PreviewSteps > 0 && step % _columns.Sampling.PreviewSteps == 0;
                _columns.Sampling.Progress!.Report(new(firstRow, step, steps, shows ? [.. GeneratedImages.Of(now()).Select(ImageDecoder.ToMLImage)] : []));
            }
        }

        private IEnumerable<DiffusionRequest> Requests(Item item, ImageSize size, int count)
        {
            var image = item.Image?.Read(skipInvalid: false, pixels => pixels);
            var mask = item.Mask?.Read(skipInvalid: false, pixels => pixels);
            if (mask is not null && (mask.Width, mask.Height) != (image!.Width, image.Height))
                throw new ArgumentException($"Row {item.Row}: the mask has {mask.Width} x {mask.Height} pixels, and its image {image.Width} x {image.Height}.");
            if (mask is not null && mask.Pixels.Chunk(3).All(pixel => 299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] < 127_500))
                throw new ArgumentException($"Row {item.Row}: the mask is dark all over, so nothing of the image is to be painted.");
            var request = new DiffusionRequest(0)
            {
                Prompt = item.Prompt, NegativePrompt = item.NegativePrompt, Class = item.Class is null ? null : ClassOf(item), Image = Resized(image), Mask = Resized(mask),
            };
            return Enumerable.Range(0, count).Select(i => request with { Seed = unchecked(item.Seed + i) });

            Tensor? Resized(RgbImage? pixels) => pixels is null ? null
                : tensor(PillowResize.Resize(pixels, size.Width, size.Height, ResizeFilter.Lanczos).Pixels, [size.Height, size.Width, 3]).permute(2, 0, 1).to(ScalarType.Float32).Div(255.0);
        }

        /// <summary>The class that a label names; of a model whose classes have no names, by its number.</summary>
        private long ClassOf(Item item)
        {
            if (Model.Labels is not { } labels)
            {
                return long.TryParse(item.Class, out var number) ? number
                    : throw new ArgumentException($"Row {item.Row}: the model's classes have no names, and '{item.Class}' is no number of one.");
            }
            var index = labels.IndexOf(item.Class!);
            return index >= 0 ? index : throw new ArgumentException($"Row {item.Row}: the model knows no class '{item.Class}'; it knows {string.Join(", ", labels.Names.Take(20))}.");
        }

        private string Parameters(DiffusionSampler sampler, DiffusionRequest request)
        {
            var (options, config) = (_columns.Sampling, sampler.Config);
            var json = new JsonObject { ["model"] = config.Name, ["seed"] = request.Seed, ["scheduler"] = $"{sampler.Scheduler.Scheduler}", ["steps"] = options.Steps, ["width"] = sampler.Size.Width, ["height"] = sampler.Size.Height };
            if (config.Text is not null)
                (json["prompt"], json["clipSkip"]) = (request.Prompt, options.ClipSkip);
            if (request.NegativePrompt != "")
                json["negativePrompt"] = request.NegativePrompt;
            if (request.Class is { } number)
                json["class"] = Model.Labels is { } labels ? labels.Names[(int)number] : number;
            if (sampler.Guides)
                (json["guidanceScale"], json["guidanceRescale"]) = (options.GuidanceScale, options.GuidanceRescale);
            if (request.Image is not null)
                json["strength"] = options.Strength;
            if (request.Mask is not null)
                json["mask"] = true;
            if (options.Eta > 0)
                json["eta"] = options.Eta;
            if (config.UNet.SizeWidth is not null)
                json["sizes"] = new JsonArray([.. options.Sizes.Of(sampler.Size).Select(side => JsonValue.Create(side))]);
            json["precision"] = $"{Model.Options.Precision}";
            return json.ToJsonString(s_readable);
        }

        private static MLImage Made(Generated result, int number)
        {
            var image = ImageDecoder.ToMLImage(result.Images[number]);
            image.Tag = result.Parameters[number];
            return image;
        }
    }
}

/// <summary>Tensors as images.</summary>
internal static class GeneratedImages
{
    /// <param name="images">[N, C, H, W] from 0 to 1; of one channel gray.</param>
    public static RgbImage[] Of(Tensor images)
    {
        using var scope = NewDisposeScope();
        var bytes = images.Mul(255.0).round().to(ScalarType.Byte).permute(0, 2, 3, 1).expand(-1, -1, -1, 3).contiguous();      // [N, H, W, 3]
        var (height, width) = ((int)bytes.shape[1], (int)bytes.shape[2]);
        return [.. Enumerable.Range(0, (int)bytes.shape[0]).Select(i => new RgbImage(width, height, bytes[i].data<byte>().ToArray()))];
    }
}
