using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Families.Swin;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Pipelines;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>
/// A configuration can say anything, in published folders and in model files: each of its numbers is set to others, one at a time. Either
/// the network does not depend on it, or there is an error at once: no memory beyond the file's, no exception of libtorch.
/// </summary>
public class ConfigurationNumberTests
{
    private static readonly double[] s_values = [0, -1, 3, 1_000_000, int.MaxValue];
    private static readonly string s_models = Path.Combine(AppContext.BaseDirectory, "Models");

    private static readonly Dictionary<string, Func<string, nn.Module>> s_open = new()
    {
        ["vit-classifier"] = folder => new ViTModel(default).Open(folder).Build(),
        ["deit"] = folder => new ViTModel(default).Open(folder).Build(),
        ["dinov2-giant"] = folder => new ViTModel(default).Open(folder).Build(),
        ["swin-classifier"] = folder => new SwinModel(default).Open(folder).Build(),
        ["swinv2-classifier"] = folder => new SwinModel(default).Open(folder).Build(),
        ["swin-backbone"] = folder => new SwinModel(default).Open(folder).Build(),
        ["clip"] = folder => new ClipModel().Open(folder).Build(),
        ["siglip"] = folder => new ClipModel().Open(folder).Build(),
        ["sam"] = folder => new SamModel().Open(folder).Build(),
    };

    public static TheoryData<string> Folders => [.. s_open.Keys];

    public static TheoryData<string> Kinds => [.. Directory.GetFiles(s_models, "*.zip").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Folders))]
    public void ANumberThatIsNotOfTheWeightsIsACheckpointException(string golden)
    {
        using var folder = TestFolders.Temporary();
        var source = Path.Combine(TestFolders.OwnGolden, golden);
        File.Copy(Path.Combine(source, "model.safetensors"), folder.File("model.safetensors"));
        var config = File.ReadAllText(Path.Combine(source, "config.json"));
        var errors = ErrorsOfEach<CheckpointException>(config, changed =>
        {
            File.WriteAllText(folder.File("config.json"), changed);
            s_open[golden](folder.Path).Dispose();
        });
        // Those that every family has.
        foreach (var key in new[] { "patch_size", "image_size", golden.StartsWith("swin", StringComparison.Ordinal) ? "depths" : "num_hidden_layers" })
        {
            var messages = errors.Where(error => error.Path.Contains(key, StringComparison.Ordinal)).ToArray();
            Assert.Contains(messages, error => error.Value == -1 && error.Message.Contains(key, StringComparison.Ordinal));
            Assert.Contains(messages, error => error.Value == int.MaxValue && error.Message.Contains(folder.Path, StringComparison.Ordinal));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void ANumberThatIsNotOfTheWeightsIsAFormatException(string kind)
    {
        using var folder = TestFolders.Temporary();
        var path = folder.File("model.zip");
        File.Copy(Path.Combine(s_models, $"{kind}.zip"), path);
        var errors = ErrorsOfEach<FormatException>(Config(path, null), changed =>
        {
            Config(path, changed);
            try
            {
                (new MLContext().Model.Load(path, out _) as IDisposable)?.Dispose();
            }
            // ML.NET calls the loader by reflection. What is built but does not fit is told by strict loading, tensor by tensor.
            catch (TargetInvocationException e) when (e.InnerException is CheckpointException)
            {
                throw new FormatException(e.InnerException.Message);
            }
            catch (TargetInvocationException e)
            {
                throw e.InnerException!;
            }
        });
        Assert.Contains(errors, error => error.Value == int.MaxValue);
    }

    [Theory, MemberData(nameof(Folders))]
    public void ADepthThatNoFileHasCostsNothing(string golden)
    {
        using var scope = NewDisposeScope();
        using var folder = TestFolders.Temporary();
        var config = File.ReadAllText(Path.Combine(TestFolders.OwnGolden, golden, "config.json"));
        SafetensorsWriter.Write(folder.File("model.safetensors"), [("embeddings.cls_token", zeros(1, 1, 32))]);
        foreach (var key in new[] { "num_hidden_layers", "depths", "hidden_size", "embed_dim", "vocab_size", "intermediate_size", "mlp_dim" })
        {
            var changed = System.Text.RegularExpressions.Regex.Replace(config, $"(\"{key}\":\\s*)(\\d+|\\[[^\\]]*\\])", match => match.Groups[1].Value + (key == "depths" ? "[1000000, 1000000]" : "1000000"));
            File.WriteAllText(folder.File("config.json"), changed);
            var clock = Stopwatch.StartNew();
            Assert.Throws<CheckpointException>(() => s_open[golden](folder.Path));
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"{key} took {clock.Elapsed}");
        }
    }

    [Theory, MemberData(nameof(Folders))]
    public void AFileWithoutTensorsIsACheckpointException(string golden)
    {
        using var folder = TestFolders.Temporary();
        File.Copy(Path.Combine(TestFolders.OwnGolden, golden, "config.json"), folder.File("config.json"));
        SafetensorsWriter.Write(folder.File("model.safetensors"), Array.Empty<(string, Tensor)>());
        Assert.Throws<CheckpointException>(() => s_open[golden](folder.Path));
    }

    /// <summary>Whatever a network's parameters are made by, they are counted: else memory would not follow the file.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public void EveryParameterIsCounted(string kind)
    {
        using var folder = TestFolders.Temporary();
        var path = Path.Combine(s_models, $"{kind}.zip");
        using var zip = ZipFile.OpenRead(path);
        using var stream = Entry(zip, "Weights.safetensors").Open();
        using var weights = new SafetensorsStream(stream, kind);
        using var allowance = new WeightAllowance(weights);
        using var network = ModelKind.All[kind].Build(Upgraded());
        // The temperature and the bias of CLIP are numbers, and SAM's frequencies are no parameter; the statistics of batch norms are as many as these.
        Tensor[] counted =
        [
            .. network.named_parameters().Select(parameter => parameter.parameter).Where(parameter => parameter.dim() > 0),
            .. network.named_buffers().Where(buffer => buffer.name.Contains("running_", StringComparison.Ordinal)).Select(buffer => buffer.buffer),
        ];
        Assert.Equal(counted.Length, allowance.TensorsTaken);
        Assert.Equal(counted.Sum(tensor => tensor.numel()), (long)allowance.NumbersTaken);

        // A frozen file may be of an older version.
        string Upgraded()
        {
            using var head = Entry(zip, "Model.json").Open();
            var content = JsonNode.Parse(Config(path, null))!.AsObject();
            foreach (var upgrade in ModelKind.All[kind].Upgrades.Skip(JsonNode.Parse(head)!["Version"]!.GetValue<int>() - 1))
                upgrade("Config.json", content);
            return content.ToJsonString();
        }
    }

    private static List<(string Path, double Value, string Message)> ErrorsOfEach<TException>(string config, Action<string> open)
        where TException : Exception
    {
        var errors = new List<(string, double, string)>();
        open(config);       // as it is, it is sound
        foreach (var path in Numbers(JsonNode.Parse(config)!, ""))
        {
            foreach (var value in s_values)
            {
                var changed = JsonNode.Parse(config)!;
                Set(changed, path, value);
                var clock = Stopwatch.StartNew();
                try
                {
                    open(changed.ToJsonString());
                }
                catch (TException e)
                {
                    errors.Add((path, value, e.Message));
                }
                catch (Exception e)
                {
                    Assert.Fail($"{path} = {value} gives {e}");
                }
                Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"{path} = {value} took {clock.Elapsed}");
            }
        }
        return errors;
    }

    private static IEnumerable<string> Numbers(JsonNode node, string path) => node switch
    {
        JsonObject entries => entries.Where(entry => entry.Value is not null && entry.Key != "label2id").SelectMany(entry => Numbers(entry.Value!, $"{path}/{entry.Key}")),
        JsonArray items => items.Take(2).SelectMany((item, index) => item is null ? [] : Numbers(item, $"{path}/{index}")),
        JsonValue value when value.GetValueKind() == System.Text.Json.JsonValueKind.Number => [path],
        _ => [],
    };

    private static void Set(JsonNode root, string path, double value)
    {
        string[] parts = path.Split('/')[1..];
        var node = parts[..^1].Aggregate(root, (at, part) => at is JsonArray ? at[int.Parse(part, System.Globalization.CultureInfo.InvariantCulture)]! : at[part]!);
        JsonNode number = JsonValue.Create((long)value);
        if (node is JsonArray list)
            list[int.Parse(parts[^1], System.Globalization.CultureInfo.InvariantCulture)] = number;
        else
            node[parts[^1]] = number;
    }

    /// <summary>The configuration in a model file, which is replaced where another is given.</summary>
    private static string Config(string path, string? changed)
    {
        using var zip = ZipFile.Open(path, changed is null ? ZipArchiveMode.Read : ZipArchiveMode.Update);
        // Of models within models, the outermost's.
        var entry = Entry(zip, "Config.json");
        if (changed is null)
        {
            using var reader = new StreamReader(entry.Open());
            return reader.ReadToEnd();
        }
        var name = entry.FullName;
        entry.Delete();
        using var writer = new StreamWriter(zip.CreateEntry(name).Open());
        writer.Write(changed);
        return changed;
    }

    private static ZipArchiveEntry Entry(ZipArchive zip, string name) => zip.Entries.Where(entry => entry.Name.EndsWith(name, StringComparison.Ordinal)).MinBy(entry => entry.FullName.Length)!;
}
