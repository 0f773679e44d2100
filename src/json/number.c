/* What a locale changes in a number is the decimal point. So strtod is given none, only digits and an exponent, and of what
 * printf writes only digits, sign and exponent are taken. */
#include "json/number.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exponents beyond it are as good as infinite, whatever the digits before them. */
enum { FAR = 100000 };

enum { FEWEST_DIGITS = 15, MOST_DIGITS = 17, PLAIN_BELOW = 17, PLAIN_FROM = -5 };

static int exponent_at(const char *text, const char *end)
{
    bool negative = *text == '-';
    int value = 0;

    for (text += *text == '-' || *text == '+'; text < end && value < FAR; text++)
        value = 10 * value + (*text - '0');
    return negative ? -value : value;
}

double ffebmi_number_read(const char *text, size_t length)
{
    char digits[FFEBMI_NUMBER_MOST + 16];
    int exponent = 0, before = errno;
    bool fraction = false;
    size_t used = 0;
    double number;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == 'e' || text[i] == 'E') {
            exponent += exponent_at(text + i + 1, text + length);
            break;
        }
        if (text[i] == '.') {
            fraction = true;
            continue;
        }
        digits[used++] = text[i];
        exponent -= fraction;
    }
    snprintf(digits + used, sizeof digits - used, "e%d", exponent);
    number = strtod(digits, NULL);
    errno = before;
    return number;
}

/* A number's sign and significant digits, as printf rounds them. */
typedef struct decimal {
    bool negative;
    char digits[MOST_DIGITS + 1];
    int count;    /* without zeros at the end; one at least */
    int exponent; /* of the first digit */
} decimal;

static decimal decimal_of(double number, int digits)
{
    char text[FFEBMI_NUMBER_TEXT + 8];
    decimal d = {.negative = false};
    const char *at = text;

    snprintf(text, sizeof text, "%.*e", digits - 1, number);
    for (; *at != 'e' && *at != '\0'; at++) {
        if (*at == '-')
            d.negative = true;
        else if (*at >= '0' && *at <= '9' && d.count < MOST_DIGITS)
            d.digits[d.count++] = *at;
    }
    d.exponent = *at == 'e' ? exponent_at(at + 1, text + strlen(text)) : 0;
    while (d.count > 1 && d.digits[d.count - 1] == '0')
        d.count--;
    return d;
}

/* d.ddde+xx */
static void write_scientific(char *to, const decimal *d)
{
    *to++ = d->digits[0];
    if (d->count > 1) {
        *to++ = '.';
        memcpy(to, d->digits + 1, (size_t)d->count - 1);
        to += d->count - 1;
    }
    snprintf(to, 8, "e%+03d", d->exponent);
}

/* 0.00ddd, dd.dd or ddd00: digit i stands for 10^(exponent - i). */
static void write_plain(char *to, const decimal *d)
{
    int first = d->exponent < 0 ? d->exponent : 0, last = d->exponent > d->count - 1 ? d->exponent : d->count - 1;

    for (int i = first; i <= last; i++) {
        if (i == d->exponent + 1)
            *to++ = '.';
        *to++ = i >= 0 && i < d->count ? d->digits[i] : '0';
    }
    *to = '\0';
}

const char *ffebmi_number_write(char text[FFEBMI_NUMBER_TEXT], double number)
{
    for (int digits = FEWEST_DIGITS; digits <= MOST_DIGITS; digits++) {
        decimal d = decimal_of(number, digits);

        text[0] = '-';
        if (d.exponent < PLAIN_FROM || d.exponent >= PLAIN_BELOW)
            write_scientific(text + d.negative, &d);
        else
            write_plain(text + d.negative, &d);
        if (ffebmi_number_read(text, strlen(text)) == number)
            break;
    }
    return text;
}
