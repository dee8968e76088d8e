// A folder of masks goes in, a folder of images comes out: files by OpenCV, images by PoseGen.
//
//     generate BUNDLE MASKS OUT [APPEARANCE BACKGROUND]
//
// Masks have the bundle's size. Without the last two, the bundle's own are taken.
#include <posegen.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <stdexcept>
#include <string>

namespace fs = std::filesystem;

// Handles that are destroyed with their variable.
struct Destroy {
    void operator()(posegen_generator *handle) const { posegen_destroy(&handle); }
    void operator()(posegen_conditions *handle) const { posegen_conditions_destroy(&handle); }
};
using Generator = std::unique_ptr<posegen_generator, Destroy>;
using Conditions = std::unique_ptr<posegen_conditions, Destroy>;

static void check(posegen_status status, const posegen_generator *generator) {
    if (status != POSEGEN_OK) throw std::runtime_error(posegen_message(generator));
}

// A picture as the library reads it. It stays `picture`'s: strides are OpenCV's, nothing is copied.
static posegen_input input(const cv::Mat &picture) {
    return {picture.data, picture.step * static_cast<size_t>(picture.rows), 1,
            picture.rows, picture.cols, picture.step, 0};
}

static cv::Mat read(const fs::path &path, int flags) {
    cv::Mat picture = cv::imread(path.string(), flags);
    if (picture.empty()) throw std::runtime_error(path.string() + ": no image that can be read");
    return picture;
}

// OpenCV's colours are BGR, those of PoseGen RGB.
static cv::Mat read_rgb(const fs::path &path) {
    cv::Mat picture = read(path, cv::IMREAD_COLOR);
    cv::cvtColor(picture, picture, cv::COLOR_BGR2RGB);
    return picture;
}

static Conditions encode(posegen_generator *generator, const posegen_info &info,
                         const std::string &photo, const std::string &scene) {
    if (!info.takes_appearance && !info.takes_background) return nullptr;
    cv::Mat appearance, background;
    if (info.takes_appearance) appearance = read_rgb(photo);
    if (info.takes_background) background = read_rgb(scene);
    const posegen_input of_appearance = input(appearance), of_background = input(background);
    posegen_conditions *made = nullptr;
    check(posegen_conditions_create(generator, info.takes_appearance ? &of_appearance : nullptr,
                                    info.takes_background ? &of_background : nullptr, &made),
          generator);
    return Conditions(made);
}

static void run(const std::string &bundle, const fs::path &masks, const fs::path &out,
                const std::string &photo, const std::string &scene) {
    posegen_options options = POSEGEN_OPTIONS;
    options.threads = 1; // as posegen-run on a CPU: the same bytes
    posegen_generator *made = nullptr;
    check(posegen_create(bundle.c_str(), &options, &made), nullptr);
    const Generator generator(made);
    posegen_info info;
    info.size = sizeof info;
    check(posegen_get_info(generator.get(), &info), generator.get());

    const auto or_default = [](const std::string &named, const char *path) {
        return named.empty() && path ? std::string(path) : named;
    };
    const Conditions conditions =
        encode(generator.get(), info, or_default(photo, info.default_appearance),
               or_default(scene, info.default_background));

    fs::create_directories(out);
    cv::Mat image(info.height, info.width, CV_8UC3); // written anew for each mask
    const posegen_output output = {image.data, image.total() * image.elemSize(), 1, image.rows,
                                   image.cols, image.step, 0};
    std::set<fs::path> files;
    for (const auto &entry : fs::directory_iterator(masks)) files.insert(entry.path());
    for (const fs::path &file : files) {
        const cv::Mat mask = read(file, cv::IMREAD_GRAYSCALE);
        const posegen_input of_mask = input(mask);
        check(posegen_generate(generator.get(), conditions.get(), &of_mask, nullptr, 0, &output),
              generator.get());
        cv::Mat bgr;
        cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
        const fs::path path = out / (file.stem().string() + ".png");
        if (!cv::imwrite(path.string(), bgr))
            throw std::runtime_error(path.string() + ": cannot be written");
    }
    std::cout << files.size() << " images in " << out.string() << " by " << info.engine << "\n";
}

int main(int count, char **arguments) {
    if (count != 4 && count != 6) {
        std::cerr << "usage: " << arguments[0] << " BUNDLE MASKS OUT [APPEARANCE BACKGROUND]\n";
        return 2;
    }
    try {
        const bool named = count == 6;
        run(arguments[1], arguments[2], arguments[3], named ? arguments[4] : "",
            named ? arguments[5] : "");
    } catch (const std::exception &error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    return 0;
}
