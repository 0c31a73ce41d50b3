using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Tests.Imaging;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>A copy of a golden case's folder, whose files a test changes, and what the package reads in it.</summary>
internal sealed class PublishedFolder : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly List<string> _notices = [];
    private readonly string _name;

    public PublishedFolder(string name)
    {
        _name = name;
        using var golden = GoldenCase.OpenOwn(name);
        foreach (var file in new[] { "config.json", "preprocessor_config.json", "model.safetensors" }.Where(golden.HasFile))
            System.IO.File.Copy(golden.File(file), File(file));
    }

    /// <summary>Each family, and each network of a family that has folders of its own kind.</summary>
    public static TheoryData<string> All => ["vit-classifier", "vit-featurizer", "deit", "dinov2-classifier", "swin-classifier", "swinv2-classifier", "clip", "siglip", "sam"];

    public static TheoryData<string> Classifiers => ["vit-classifier", "deit", "dinov2-classifier", "swin-classifier", "swinv2-classifier"];

    public string Path => _folder.Path;

    /// <summary>What was said since the folder was made.</summary>
    public IReadOnlyList<string> Notices => _notices;

    public string File(string name) => _folder.File(name);

    public JsonObject Read(string file) => JsonNode.Parse(System.IO.File.ReadAllText(File(file)))!.AsObject();

    public void Write(string file, JsonNode json) => System.IO.File.WriteAllText(File(file), json.ToJsonString());

    public void Change(string file, Action<JsonObject> change)
    {
        var json = Read(file);
        change(json);
        Write(file, json);
    }

    public void Delete(string file) => System.IO.File.Delete(File(file));

    /// <summary>The network's hyper-parameters, the classes, and how images are prepared.</summary>
    public (string Config, IReadOnlyList<string>? Labels, ImagePreprocessing Preprocessing) Open()
    {
        using var notices = VisionModels.Core.Notices.To(new(_notices.Add));
        return _name.Split('-')[0] switch
        {
            "vit" or "deit" or "dinov2" => Read(new ViTModel(ViTPreset.Tiny16), config => config.ImageSize),
            "swin" or "swinv2" => Read(new SwinModel(SwinPreset.Tiny), config => config.ImageSize),
            "clip" or "siglip" => Read(new ClipModel(), config => config.Vision.ImageSize),
            _ => Read(new SamModel(), config => config.ImageSize),
        };

        (string, IReadOnlyList<string>?, ImagePreprocessing) Read<TConfig, TNetwork>(PublishedFormat<TConfig, TNetwork> format, Func<TConfig, ImageSize> size)
            where TConfig : class
            where TNetwork : TorchSharp.torch.nn.Module, INetwork<TConfig, TNetwork>
        {
            var model = format.Open(Path);
            return (ModelJson.Write(model.Config), model.Labels, model.Preprocessing(null, size(model.Config)));
        }
    }

    /// <summary>A classifier's scores of an image.</summary>
    /// <param name="preprocessing">How it is prepared; null for as the folder tells.</param>
    /// <param name="image">The golden image; one that has not the network's size.</param>
    public float[] Scores(ImagePreprocessing? preprocessing = null, string image = "rgb")
    {
        var context = new MLContext(seed: 1);
        context.Log += (_, e) =>
        {
            if (e.Kind == Runtime.ChannelMessageKind.Warning)
                _notices.Add(e.RawMessage);
        };
        var data = context.Data.LoadFromEnumerable([new Row { Image = TestImages.Find(System.IO.Path.Combine(TestFolders.OwnGolden, "image-processing"), image) }]);
        IEstimator<ImageClassifierTransformer> pipeline = _name.StartsWith("swin", StringComparison.Ordinal)
            ? context.Transforms.SwinClassifier(new SwinClassifierOptions { Checkpoint = Path, TrainedParts = TrainedParts.None, Preprocessing = preprocessing })
            : context.Transforms.ViTClassifier(new ViTClassifierOptions { Checkpoint = Path, TrainedParts = TrainedParts.None, Preprocessing = preprocessing });
        using var model = pipeline.Fit(data);
        return Data.ColumnCursorExtensions.GetColumn<float[]>(model.Transform(data), "Score").Single();
    }

    public void Dispose() => _folder.Dispose();

    private sealed class Row
    {
        public string Image { get; set; } = "";
    }
}
