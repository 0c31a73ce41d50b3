using System.Globalization;
using System.Text.Json.Nodes;

namespace Microsoft.ML.VisionModels.Tests.Checkpoints;

/// <summary>What a folder's config.json may leave out, write otherwise, or have wrong.</summary>
public class PublishedConfigTests
{
    private const string ConfigFile = "config.json";

    public static TheoryData<string> All => PublishedFolder.All;

    public static TheoryData<string> Classifiers => PublishedFolder.Classifiers;

    [Theory, MemberData(nameof(All))]
    public void TheTensorsTellWhatTheArchitecturesNameWould(string name)
    {
        using var folder = new PublishedFolder(name);
        var (config, labels, _) = folder.Open();
        folder.Change(ConfigFile, json => json.Remove("architectures"));
        var (withoutName, sameLabels, _) = folder.Open();
        Assert.Equal(config, withoutName);
        Assert.Equal(labels, sameLabels);
        Assert.Empty(folder.Notices);
    }

    [Theory, MemberData(nameof(All))]
    public void TheArchitecturesNameTellsTheModelType(string name)
    {
        using var folder = new PublishedFolder(name);
        var (config, _, preprocessing) = folder.Open();
        folder.Change(ConfigFile, json => json.Remove("model_type"));
        Assert.Equal((config, preprocessing), (folder.Open().Config, folder.Open().Preprocessing));
        Assert.Empty(folder.Notices);

        // Where neither tells, it is read as of the family's first model type.
        folder.Change(ConfigFile, json => json.Remove("architectures"));
        if (name is "vit-classifier" or "vit-featurizer" or "swin-classifier" or "clip" or "sam")
            Assert.Equal((config, preprocessing), (folder.Open().Config, folder.Open().Preprocessing));
        else
            Record.Exception(() => folder.Open());
        Assert.Contains("model_type", folder.Notices[0]);
    }

    [Theory, MemberData(nameof(Classifiers))]
    public void TheScoresOfAnImageAreTheSameWithoutAnArchitecture(string name)
    {
        using var folder = new PublishedFolder(name);
        var scores = folder.Scores();
        folder.Change(ConfigFile, json => json.Remove("architectures"));
        Assert.Equal(scores, folder.Scores());
        Assert.Empty(folder.Notices);
    }

    /// <summary>The scores that the official implementation gives for the golden network and image.</summary>
    [Fact]
    public void TheScoresAreTheOfficialOnes()
    {
        using var folder = new PublishedFolder("vit-classifier");
        float[] expected = [0.16173f, 0.22538f, 0.40205f, 0.08452f, 0.12631f];
        Assert.All(expected.Zip(folder.Scores()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Theory, MemberData(nameof(Classifiers))]
    public void NamesThatAreNumbersAreText(string name)
    {
        using var folder = new PublishedFolder(name);
        folder.Change(ConfigFile, json => json["id2label"] = new JsonObject(json["id2label"]!.AsObject().Select((entry, id) => KeyValuePair.Create(entry.Key, (JsonNode?)(100 + id)))));
        var labels = folder.Open().Labels!;
        Assert.Equal(Enumerable.Range(100, labels.Count).Select(id => id.ToString(CultureInfo.InvariantCulture)), labels);
    }

    [Theory, MemberData(nameof(Classifiers))]
    public void ClassesWithoutNamesGetThoseOfTheLibrary(string name)
    {
        using var folder = new PublishedFolder(name);
        var (config, labels, _) = folder.Open();
        folder.Change(ConfigFile, json => json.Remove("id2label"));
        var opened = folder.Open();
        Assert.Equal(config, opened.Config);
        Assert.Equal(Enumerable.Range(0, labels!.Count).Select(id => $"LABEL_{id}"), opened.Labels);
        Assert.Contains(folder.Notices, notice => notice.Contains("Labels names them", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(All))]
    public void WholeNumbersMayBeWrittenWithAPointOrAnExponent(string name)
    {
        using var folder = new PublishedFolder(name);
        var (config, _, preprocessing) = folder.Open();
        foreach (var format in new[] { "{0}.0", "{0}e0", "{0}.00e+0" })
        {
            foreach (var file in new[] { ConfigFile, "preprocessor_config.json" })
            {
                var json = folder.Read(file);
                foreach (var (parent, key) in Numbers(json).Where(place => long.TryParse(place.Parent[place.Key]!.ToJsonString(), out _)))
                    parent[key] = JsonNode.Parse(string.Format(CultureInfo.InvariantCulture, format, parent[key]!.ToJsonString()));
                folder.Write(file, json);
            }
            Assert.Equal((config, preprocessing), (folder.Open().Config, folder.Open().Preprocessing));
            RestoreFrom(name, folder);
        }
    }

    /// <summary>Whatever stands in a file is read, or is an error that names the file: never one of the platform's.</summary>
    [Theory, MemberData(nameof(All))]
    public void AWrongValueIsAnErrorThatNamesTheFile(string name)
    {
        using var folder = new PublishedFolder(name);
        foreach (var file in new[] { ConfigFile, "preprocessor_config.json" })
        {
            var refused = 0;
            const string Mark = "what is wrong";
            foreach (var path in Entries(folder.Read(file)))
            {
                foreach (var wrong in new[] { "-1", "0", "0.5", "1e300", "2147483647", "null", "\"x\"", "[null, -1]", "{}", """{"height": -1, "0": null}""", """{"0": "\ud800"}""" })
                {
                    var json = folder.Read(file);
                    Set(json, path, Mark);
                    File.WriteAllText(folder.File(file), json.ToJsonString().Replace($"\"{Mark}\"", wrong, StringComparison.Ordinal));
                    try
                    {
                        folder.Open();
                    }
                    catch (CheckpointException e)
                    {
                        Assert.Contains(folder.Path, e.Message);
                        refused++;
                    }
                    // The user's option decides of an image size that does not fit the preprocessing.
                    catch (ArgumentException e) when (e.Message.Contains("Set ImageSize", StringComparison.Ordinal))
                    {
                    }
                    RestoreFrom(name, folder);
                }
            }
            Assert.True(refused > 20, $"{file}: {refused} values were refused.");
        }
    }

    [Fact]
    public void TheOldPartsOfClipAreRead()
    {
        using var folder = new PublishedFolder("clip");
        var (config, _, _) = folder.Open();
        folder.Change(ConfigFile, json =>
        {
            foreach (var part in new[] { "text_config", "vision_config" })
            {
                json[part + "_dict"] = json[part]!.DeepClone();
                json.Remove(part);
            }
        });
        Assert.Equal(config, folder.Open().Config);
        Assert.Empty(folder.Notices);

        // Of both, the library takes the old one.
        folder.Change(ConfigFile, json =>
        {
            json["text_config"] = json["text_config_dict"]!.DeepClone();
            json["vision_config"] = json["vision_config_dict"]!.DeepClone();
            json["vision_config"]!["num_attention_heads"] = 4;
        });
        Assert.Equal(config, folder.Open().Config);
        Assert.Contains("num_attention_heads", Assert.Single(folder.Notices));
    }

    private static void RestoreFrom(string name, PublishedFolder folder)
    {
        using var golden = GoldenCase.OpenOwn(name);
        foreach (var file in new[] { ConfigFile, "preprocessor_config.json" })
            File.Copy(golden.File(file), folder.File(file), overwrite: true);
    }

    private static List<(JsonNode Parent, string Key)> Numbers(JsonObject json) =>
        [.. json.SelectMany(entry => entry.Value is JsonObject part ? Numbers(part) : entry.Value is JsonValue value && value.GetValueKind() == System.Text.Json.JsonValueKind.Number ? [(json, entry.Key)] : [])];

    private static List<string[]> Entries(JsonObject json) =>
        [.. json.SelectMany(entry => ((string[][])[[entry.Key], .. entry.Value is JsonObject part && entry.Key is not ("id2label" or "label2id") ? Entries(part).Select(path => (string[])[entry.Key, .. path]) : []]))];

    private static void Set(JsonObject json, string[] path, string value)
    {
        foreach (var key in path[..^1])
            json = json[key]!.AsObject();
        json[path[^1]] = value;
    }
}
